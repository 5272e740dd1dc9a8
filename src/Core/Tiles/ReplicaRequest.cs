using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Repair;

namespace ChordChat.Core.Tiles;

/// <summary>What a replica can be asked for a tile.</summary>
public abstract record ReplicaRequest
{
    private ReplicaRequest(TileEpoch at) => At = at;

    /// <summary>Executed only by a replica that is at exactly this epoch (exceptions are named below).</summary>
    public TileEpoch At { get; init; }

    /// <summary>Whether only the node itself may ask this of its replica; a transport never accepts it.</summary>
    public virtual bool IsLocal => false;

    // Registers. docs/protocol.md#register

    /// <summary>Promise to accept nothing below <paramref name="Ballot"/>. Promised or Nack.</summary>
    public sealed record Prepare(TileEpoch At, string Key, Ballot Ballot) : ReplicaRequest(At);

    /// <summary>Take this value. Accepted; Nack also when it may not follow the own one.</summary>
    public sealed record Accept(TileEpoch At, string Key, Ballot Ballot, ReadOnlyMemory<byte> Value)
        : ReplicaRequest(At);

    /// <summary>What did you accept last? Promises nothing and writes nothing. Peeked.</summary>
    public sealed record Peek(TileEpoch At, string Key) : ReplicaRequest(At);

    // Sets. docs/protocol.md#set

    /// <summary>Keep a message. Added, Buried, Full or TooLate.</summary>
    /// <param name="SentMs">Unix milliseconds when it was first handed in, by the calendar of the node that asks; the
    /// largest number: just now.</param>
    /// <param name="From">The user who sends it, for whoever judges the caller; empty: the one whose mailbox it is.
    /// </param>
    public sealed record Add(
        TileEpoch At, string Set, MessageId Id, ReadOnlyMemory<byte> Content, long SentMs = long.MaxValue,
        string From = "")
        : ReplicaRequest(At);

    /// <summary>Remove messages for ever, also those not there yet. Acknowledged.</summary>
    public sealed record Acknowledge(TileEpoch At, string Set, ImmutableArray<MessageId> Ids) : ReplicaRequest(At);

    /// <summary>The messages whose arrival at this replica is larger than <paramref name="After"/>. Scanned.</summary>
    public sealed record Scan(TileEpoch At, string Set, long After, int RowsMax) : ReplicaRequest(At);

    // Tombstones. docs/protocol.md#tombstones

    /// <summary>How do these ids stand with you? Ages, one for each.</summary>
    public sealed record GetAges(TileEpoch At, string Set, ImmutableArray<MessageId> Ids) : ReplicaRequest(At);

    /// <summary>Every member has buried these, long ago: forget the tombstones. Forgotten, also when some are
    /// kept.</summary>
    public sealed record Forget(TileEpoch At, string Set, ImmutableArray<MessageId> Ids) : ReplicaRequest(At);

    // Epoch change. docs/protocol.md#epoch-change

    /// <summary>Stop answering for this epoch, for ever, and say what you voted for. SealGranted or Nack.</summary>
    public sealed record Seal(TileEpoch At, Ballot Ballot) : ReplicaRequest(At);

    /// <summary>Vote for the next configuration. Accepted or Nack.</summary>
    public sealed record Decide(TileEpoch At, Ballot Ballot, TileConfiguration Next) : ReplicaRequest(At)
    {
        /// <summary>Whether <see cref="Next"/> may follow what the replica holds when it carries this out; null: a wish
        /// of this node. docs/protocol.md#next-members</summary>
        public Func<TileConfiguration, bool>? MayFollow { get; init; }
    }

    /// <summary>This configuration is decided. Standing, whatever it changed.</summary>
    /// <param name="Previous">The one before, to learn from; null when the sender does not know it any more.</param>
    public sealed record NewConfiguration(TileConfiguration Next, TileConfiguration? Previous)
        : ReplicaRequest(Next.At);

    /// <summary>A page of the state that <paramref name="At"/> starts with. Pulled.</summary>
    /// <param name="After">Where the page before ended; default for the first.</param>
    /// <param name="Theirs">The asker's 256 sums at the end of the epoch before, to leave out what it has; default when
    /// it starts empty.</param>
    public sealed record Pull(TileEpoch At, TileCursor After, int BytesMax, ImmutableArray<UInt128> Theirs = default)
        : ReplicaRequest(At);

    /// <summary>What do you know of this tile? Any epoch. Standing or WrongTile.</summary>
    public sealed record GetConfiguration(TileId Tile) : ReplicaRequest(new TileEpoch(Tile, 0, 0));

    // Repair. docs/protocol.md#repair

    /// <summary>Which of these tiles does your copy differ in? Each is judged at its own epoch. Differing.</summary>
    public sealed record Compare(ImmutableArray<TileSum> Tiles) : ReplicaRequest(default(TileEpoch));

    /// <summary>Send the rows of these buckets that I lack or have in an older state. Pulled.</summary>
    /// <param name="After">Only rows behind this one,</param>
    /// <param name="UpTo">up to this one, or to the end;</param>
    /// <param name="Have">there I have these.</param>
    public sealed record Missing(
        TileEpoch At, BucketSet Buckets, TileCursor After, TileCursor? UpTo, ImmutableArray<RowStamp> Have)
        : ReplicaRequest(At);

    // What a node asks of its own replica only.

    /// <summary>The digest of the whole tile. Summary, without a number while it is being worked out.</summary>
    public sealed record Summarize(TileEpoch At) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>The next rows of the buckets that differ from <paramref name="Theirs"/>. Listed.</summary>
    public sealed record ListRows(TileEpoch At, ImmutableArray<UInt128> Theirs, TileCursor After) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>The next set entries that have become old. Aged.</summary>
    /// <param name="Rank">This node's place in the configuration: how much older they must be.</param>
    public sealed record ListAged(TileEpoch At, TileCursor After, int Rank) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>This node was away past the age of tombstones: answer nothing for this tile until it is known how the
    /// others stand. Any epoch. Done.</summary>
    public sealed record Doubt(TileId Tile) : ReplicaRequest(new TileEpoch(Tile, 0, 0))
    {
        public override bool IsLocal => true;
    }

    /// <summary>Too few of the others are active: the rows count after all. Done or Stale.</summary>
    public sealed record Readmit(TileEpoch At) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>Keep these rows of another active member of the same epoch. Done, or TooLate.</summary>
    /// <param name="AskedMs">Unix milliseconds when they were asked for; the largest number: just now.</param>
    /// <param name="Source">Whom they are from, and to whose account they go; null: to this node's own.</param>
    public sealed record Mend(TileEpoch At, TilePage Page, long AskedMs = long.MaxValue, NodeId? Source = null)
        : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>Some of the registers that were offered a value that does not follow their own, to be asked about now.
    /// They are forgotten with that. Disputed.</summary>
    public sealed record GetDisputes() : ReplicaRequest(default(TileEpoch))
    {
        public override bool IsLocal => true;
    }

    /// <summary>A majority of the members holds this value under this ballot: keep it though it does not follow the own
    /// one. Done.</summary>
    public sealed record Concede(TileEpoch At, string Key, Ballot Ballot, ReadOnlyMemory<byte> Value)
        : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>Read what the ended epoch <paramref name="At"/> has left here again, piece by piece, so that damage is
    /// found now; then the sums of it. Summed.</summary>
    /// <param name="After">Where the piece before ended; default for the first.</param>
    public sealed record Sums(TileEpoch At, TileCursor After) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>Unite a pulled page with what this learner has. Done, Contested, or Stale when the epoch has
    /// passed.</summary>
    public sealed record Absorb(TileEpoch At, TilePage Page) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>Settle a contested register: keep the newest to which a majority leads up, or else the newest. Done,
    /// Stale, or Contested when there is no such majority and it is not final.</summary>
    /// <param name="Heard">What the others hold; the row here is added.</param>
    /// <param name="OwnVotes">Whether the row here counts for a majority.</param>
    /// <param name="Majority">Of those who vote; 0: none counts.</param>
    /// <param name="IsFinal">Nobody else will be heard.</param>
    public sealed record Believe(
        TileEpoch At, string Key, ImmutableArray<HeardRegister> Heard, bool OwnVotes, int Majority,
        bool IsFinal = true)
        : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>The state is complete: answer for this epoch from now on. Done or Stale; Contested, and not yet, when
    /// the last page is.</summary>
    /// <param name="Last">The page that completes it, to be united first, by the same commit; null when there is
    /// none.</param>
    public sealed record Activate(TileEpoch At, TilePage? Last = null) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>The members of <paramref name="At"/> need this leaver no more: drop the rows of the epoch before.
    /// Done or Stale.</summary>
    public sealed record Retire(TileEpoch At) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>A row of this tile was found damaged: believe none of them. Any epoch. Done.</summary>
    /// <param name="Found">The epoch in which that was found out; in a later one it is not so any more. Null: of now.
    /// </param>
    public sealed record Distrust(TileId Tile, TileEpoch? Found = null) : ReplicaRequest(new TileEpoch(Tile, 0, 0))
    {
        public override bool IsLocal => true;
    }

    /// <summary>Whether the other members of <paramref name="At"/> have told this node that they are complete, or are
    /// not there, so that others may end it. Remembered until this process ends. Done or Stale.</summary>
    public sealed record MayEnd(TileEpoch At, bool Value) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }

    /// <summary>Every member knows <paramref name="At"/>: forget the configuration before. Done or Stale.</summary>
    public sealed record Settle(TileEpoch At) : ReplicaRequest(At)
    {
        public override bool IsLocal => true;
    }
}
