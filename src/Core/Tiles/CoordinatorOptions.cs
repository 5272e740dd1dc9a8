using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Epochs;

namespace ChordChat.Core.Tiles;

/// <summary>How patient a coordinator is.</summary>
public sealed record CoordinatorOptions
{
    public static readonly CoordinatorOptions Default = new();

    /// <summary>For nodes with a slow line between them.</summary>
    public static readonly CoordinatorOptions Wan = new() { CopyBytesPerSecond = 1 << 20 };

    /// <summary>How long one round waits for a majority before the next try.</summary>
    public TimeSpan RoundTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The first wait after being outrun or meeting an ended epoch; doubles with each, half of it at
    /// random.</summary>
    public TimeSpan BackoffStart { get; init; } = TimeSpan.FromMilliseconds(5);

    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How many rounds without success before giving up.</summary>
    public int RoundsMax { get; init; } = 8;

    /// <summary>How often an add is repeated to members that miss a copy after a majority has one.</summary>
    public int LateRoundsMax { get; init; } = 5;

    /// <summary>Rows asked for in one page of a scan.</summary>
    public int ScanRowsMax { get; init; } = 512;

    /// <summary>Bytes asked for in one page of a transfer; no other request waits longer than one page takes.</summary>
    public int PullBytesMax { get; init; } = 1 << 16;

    /// <summary>How fast a newcomer copies one tile; a node copies at most <see cref="StewardOptions.NewcomersMax"/> at
    /// once. Members of the epoch before are not held up.</summary>
    public int CopyBytesPerSecond { get; init; } = 8 << 20;

    /// <summary>How long a newcomer waits for the first of those that it copies a tile from before it asks the others
    /// as well, and again after twice as long; docs/protocol.md#endless-transfer.</summary>
    public TimeSpan FirstSourceMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The same once one has sent everything.</summary>
    public TimeSpan LastSourceMax { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a learner asks one member of the epoch before again what it holds of registers on which those
    /// that it has heard contradict each other; docs/protocol.md#contested-registers.</summary>
    public TimeSpan ContestMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many copies the cluster keeps: a tile with fewer members than that is never given to fewer.
    /// </summary>
    public int Copies { get; init; } = 1;

    /// <summary>Whether a later configuration can follow one at all. Only an operator's order makes a tile smaller.
    /// docs/protocol.md#what-a-member-may-ask</summary>
    public bool MayFollow(TileConfiguration known, TileConfiguration next) =>
        next.Tile.Bits - next.Splits.Length == known.Tile.Bits - known.Splits.Length
        && (next.Generation > known.Generation || next.Members.Length >= Math.Min(known.Members.Length, Copies));

    /// <summary>Nodes whose word alone is enough about the next configuration: the only known member. With one copy of
    /// everything also the only next member, because a node that missed a move can hear of it from nobody else.
    /// docs/protocol.md#one-voice-is-a-claim</summary>
    public IEnumerable<NodeId> BelievedAlone(TileConfiguration known, TileConfiguration next) =>
        known.Members is not [var only] ? []
        : Copies == 1 && next.Members is [var sole] ? [only, sole]
        : [only];
}
