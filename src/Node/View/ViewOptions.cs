namespace ChordChat.Node.View;

/// <summary>Section "View" of a node's settings: whoever reaches it may watch the ring, so watching has bounds.
/// </summary>
internal sealed record ViewOptions
{
    /// <summary>Streams of snapshots to one address block (a /24, or a /48 of IPv6).</summary>
    public int WatchersPerAddressMax { get; init; } = 16;

    /// <summary>Streams of snapshots to all who have no certificate of the operator; as many again to those who do.
    /// </summary>
    public int WatchersMax { get; init; } = 64;

    /// <summary>Traces under way for one address; for all: eight times as many, and as many again to those who have a
    /// certificate of the operator.</summary>
    public int TracesPerAddressMax { get; init; } = 8;

    /// <summary>Traces in a minute for one address block (a /24, or a /48 of IPv6) without a certificate; for all:
    /// eight times as many, and a few of each block even beyond that.</summary>
    public int TracesPerMinuteMax { get; init; } = 60;

    /// <summary>How long one snapshot may wait for a watcher to read it.</summary>
    public TimeSpan ReadingMax { get; init; } = TimeSpan.FromSeconds(10);
}
