namespace ChordChat.Core.Tiles;

/// <summary>How much one other node may make grow on this node's disk: so much at once, and then so much a
/// second.</summary>
/// <remarks>docs/protocol.md#what-peers-make-grow; why these numbers: docs/operations.md#limits.</remarks>
public sealed record PeerLimits
{
    /// <summary>What a row takes beside its content, about: its name, ballots and places in indexes.</summary>
    public const long RowBytes = 1_024;

    /// <summary>The same for a message.</summary>
    public const long MessageBytes = 256;

    /// <summary>And for a mark that a message was deleted.</summary>
    public const long MarkBytes = 128;

    public static readonly PeerLimits Default = new();

    /// <summary>Promises for registers that nobody has written, and to which no value followed.</summary>
    public int PromisesMax { get; init; } = 32_768;

    /// <summary>As often one of them is forgotten.</summary>
    public TimeSpan PromiseEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Ballots far above those that are here.</summary>
    public int LeapsMax { get; init; } = 32;

    public TimeSpan LeapEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Promises that it takes away from others a moment after they got them.</summary>
    public int OvertakingsMax { get; init; } = 32;

    public TimeSpan OvertakingEvery { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>By which registers become more and larger.</summary>
    public long RegisterBytesMax { get; init; } = 256L << 20;

    public long RegisterBytesPerSecond { get; init; } = 64L << 10;

    /// <summary>Mail that nobody has acknowledged, of a node that does not keep it itself.</summary>
    public long MailBytesMax { get; init; } = 2L << 30;

    public long MailBytesPerSecond { get; init; } = 256L << 10;
}
