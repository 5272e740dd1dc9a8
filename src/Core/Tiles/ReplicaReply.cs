using System.Collections.Immutable;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles;

/// <summary>What a replica answers. Sent only after everything that it rests on is durable.</summary>
public abstract record ReplicaReply
{
    private ReplicaReply() { }

    /// <summary>Nothing below the ballot will be accepted; this is what was accepted last (none: the
    /// default).</summary>
    public sealed record Promised(Ballot AcceptedBallot, ReadOnlyMemory<byte> Value) : ReplicaReply;

    /// <summary>The value, or the vote for a configuration, is on disk.</summary>
    public sealed record Accepted : ReplicaReply;

    /// <summary>Outrun: try again above <paramref name="Highest"/>.</summary>
    public sealed record Nack(Ballot Highest) : ReplicaReply;

    /// <summary>What was accepted last; a default ballot means nothing ever was.</summary>
    public sealed record Peeked(Ballot AcceptedBallot, ReadOnlyMemory<byte> Value) : ReplicaReply;

    /// <summary>The message is on disk here, since <paramref name="Arrival"/>, perhaps from an earlier try.</summary>
    public sealed record Added(long Arrival) : ReplicaReply;

    /// <summary>The message was acknowledged before; it is not kept again.</summary>
    public sealed record Buried : ReplicaReply;

    /// <summary>Another message has this id here; this one is not kept.</summary>
    public sealed record Occupied : ReplicaReply;

    /// <summary>The set is at its limit (<see cref="SetLimits"/>); the message is not kept here.</summary>
    public sealed record Full : ReplicaReply;

    /// <summary>This node's disk has no room for anything new; what it has it goes on with.</summary>
    public sealed record NoRoom : ReplicaReply;

    /// <summary>The node that asks makes too much grow here: <see cref="PeerLimits"/>.</summary>
    public sealed record TooMany : ReplicaReply;

    /// <summary>The node that asks has no right to that; nothing was done.</summary>
    public sealed record NotAllowed(string Why) : ReplicaReply;

    /// <summary>There is no such row, and there never is.</summary>
    public sealed record NoSuchRow : ReplicaReply;

    /// <summary>The message was first handed in too long ago to be taken as a new one, or the page was asked for too
    /// long ago.</summary>
    /// <param name="NowMs">The calendar by which it is; 0 when not told.</param>
    public sealed record TooLate(long NowMs) : ReplicaReply;

    /// <summary>How ids stand here, in the order in which they were asked for.</summary>
    public sealed record Ages(ImmutableArray<EntryAge> Of) : ReplicaReply;

    /// <summary>Those of the tombstones that had their age are gone.</summary>
    public sealed record Forgotten : ReplicaReply;

    /// <summary>Tombstones past their age and expired messages among the rows read, and where to go on, or
    /// null.</summary>
    public sealed record Aged(ImmutableArray<EntryStamp> Entries, TileCursor? Next) : ReplicaReply;

    /// <summary>The tombstones are on disk.</summary>
    public sealed record Acknowledged : ReplicaReply;

    /// <summary>Messages in order of arrival here. Ask on after <paramref name="Next"/> while there is more.</summary>
    public sealed record Scanned(ImmutableArray<SetMessage> Messages, long Next, bool More) : ReplicaReply;

    /// <summary>This replica answers for the epoch never again. It voted for this, or for nothing.</summary>
    public sealed record SealGranted(Ballot AcceptedBallot, TileConfiguration? Vote) : ReplicaReply;

    /// <summary>A page of rows, from a member of the new epoch that is complete (<paramref name="Complete"/>) or from a
    /// sealed member of the epoch before.</summary>
    public sealed record Pulled(TilePage Page, bool Complete) : ReplicaReply;

    /// <summary>The newest configuration that this replica knows, and what it is itself in exactly that one: Learning
    /// also when its rows are still those of the one before; Sealed when it is complete in it, or leaves with
    /// it.</summary>
    /// <param name="WasAway">Active again since less than a day, after it was away for long.</param>
    /// <param name="Vote">What it voted for as the one after <paramref name="Newest"/>; of a cut, the first
    /// half's.</param>
    /// <param name="MayEnd">Whether it lets others end the epoch of <paramref name="Newest"/>.
    /// docs/protocol.md#one-change-at-a-time</param>
    public sealed record Standing(
        TileConfiguration Newest,
        TilePhase Phase,
        TileConfiguration? Previous,
        bool WasAway = false,
        TileConfiguration? Vote = null,
        bool MayEnd = false) : ReplicaReply
    {
        /// <summary>The configuration before <paramref name="next"/> if it voted for that; otherwise null.</summary>
        internal TileConfiguration? VotedFor(TileConfiguration next) => Vote is null ? null
            : Newest.Successors(Vote).Where(one => one.Next == next).Select(one => one.Previous).FirstOrDefault();
    }

    /// <summary>A newer configuration is decided: ask its members. One that says so may be wrong.</summary>
    public sealed record Stale(TileConfiguration Newest, TileConfiguration? Previous) : ReplicaReply;

    /// <summary>This replica has not come as far as the request's epoch; try again, or others.</summary>
    public sealed record Behind(TileConfiguration Configuration) : ReplicaReply;

    /// <summary>The epoch has ended and its successor is not known here yet; try again soon.</summary>
    public sealed record Sealed : ReplicaReply;

    /// <summary>This replica knows nothing of that tile.</summary>
    public sealed record WrongTile : ReplicaReply;

    /// <summary>The digest of a tile; null while it is being worked out.</summary>
    public sealed record Summary(UInt128? Root) : ReplicaReply;

    /// <summary>The 256 sums of an ended epoch's rows; null while they are being read again.</summary>
    /// <param name="Next">Where to go on then.</param>
    public sealed record Summed(ImmutableArray<UInt128>? Sums, TileCursor Next) : ReplicaReply;

    /// <summary>Tiles that are active here at the same epoch and hold other rows.</summary>
    public sealed record Differing(ImmutableArray<TileSums> Tiles) : ReplicaReply;

    /// <summary>The buckets that differ (none: nothing to do), and their rows up to a place, or to the end.</summary>
    public sealed record Listed(BucketSet Buckets, ImmutableArray<RowStamp> Rows, TileCursor? UpTo) : ReplicaReply;

    /// <summary>Registers whose copies disagree more than by age.</summary>
    public sealed record Disputed(ImmutableArray<Dispute> Registers) : ReplicaReply;

    /// <summary>The page was united, but for registers that contradict what is here: others must be heard.</summary>
    public sealed record Contested(ImmutableArray<ContestedRegister> Registers) : ReplicaReply;

    /// <summary>A local request was carried out.</summary>
    public sealed record Done : ReplicaReply;
}

/// <summary>Two copies of one register of which neither follows the other, or one that does not go with what stands
/// beside it here.</summary>
/// <param name="Beside">The register that must be seen to judge this one; null when none.</param>
public readonly record struct ContestedRegister(
    TransferredRegister Own, TransferredRegister Copy, string? Beside = null);
