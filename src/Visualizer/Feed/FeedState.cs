namespace ChordChat.Visualizer.Feed;

/// <summary>All that a page is told, at one moment.</summary>
/// <param name="Eyes">Who is watched.</param>
/// <param name="Ring">The newest snapshot in protobuf's JSON form; null before the first.</param>
internal sealed record FeedState(Eyes Eyes, string? Ring)
{
    public static FeedState Empty { get; } = new(Eyes.Closed, null);
}
