namespace ChordChat.Visualizer.Feed;

/// <summary>A node answers, but it is not of the cluster that this program looks at.</summary>
/// <param name="words">For the page: of another cluster, or not valid by this machine's clock.</param>
internal sealed class StrangeClusterException(string words) : Exception(words);
