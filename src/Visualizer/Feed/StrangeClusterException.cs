namespace ChordChat.Visualizer.Feed;

/// <summary>A node answers, but it is not of the cluster that this program looks at.</summary>
internal sealed class StrangeClusterException(string address)
    : Exception($"The node at {address} belongs to another cluster than the one looked at before.")
{
    public string Address => address;
}
