using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Tiles;

/// <summary>Sets of messages that only grow and are acknowledged away: mailboxes.</summary>
/// <remarks>Implemented by the cluster itself and, in tests of the chat, by memory.</remarks>
internal interface IMessageSets
{
    /// <summary>Adds a message at every member of the set's tile. Adding twice is adding once.</summary>
    /// <param name="progress">Called each time one more copy is on disk, also after the returned task has ended at the
    /// majority, with all copies so far; never concurrently for one call.</param>
    Task<AddOutcome> AddAsync(
        SetKey set,
        HandedIn handedIn,
        MessageId id,
        ReadOnlyMemory<byte> content,
        Action<CopiesKept>? progress,
        CancellationToken cancellation);

    /// <summary>Removes messages for ever at a majority; ids that are not there yet never will be.</summary>
    /// <returns>Whether a majority has it on disk; false means retry.</returns>
    Task<bool> AcknowledgeAsync(SetKey set, IReadOnlyList<MessageId> ids, CancellationToken cancellation);

    /// <summary>Reads all unacknowledged messages that a majority keeps, page by page, each id once, in rough order of
    /// arrival. A page comes as soon as it is known.</summary>
    /// <exception cref="NoMajorityException">No majority answered in time.</exception>
    IAsyncEnumerable<IReadOnlyList<StoredMessage>> ScanAsync(SetKey set, CancellationToken cancellation);

    /// <summary>Who keeps the set as far as this node knows, the owner first.</summary>
    ValueTask<SetPlace> PlaceAsync(SetKey set, CancellationToken cancellation);

    /// <summary>Where a set is kept, for showing: asks before it answers.</summary>
    Task<FoundPlace> FindPlaceAsync(SetKey set, CancellationToken cancellation);

    /// <summary>Asks the members for messages: who is active in the newest configuration that any of them knows, and
    /// has the message or a mark that it was acknowledged. One answer for each id.</summary>
    Task<IReadOnlyList<CopiesKept>> HoldersAsync(
        SetKey set, IReadOnlyList<MessageId> ids, CancellationToken cancellation);
}

/// <summary>A set: its name, which says on which point of the circle it lies.</summary>
internal readonly record struct SetKey(string Name)
{
    /// <summary>The tile that holds this point keeps it.</summary>
    public RingId Point => RowName.PointOf(Name);

    public static SetKey Mailbox(string user) => new($"mbox/{user}");
}

/// <summary>How a message came to the nodes.</summary>
/// <param name="By">The user who sends it; empty: the one whose mailbox it is.</param>
/// <param name="AtMs">Unix milliseconds when it was first handed in, by this node's calendar.</param>
/// <param name="IsQuiet">Any message of its id counts as this one, so that its sender does not learn whether the first
/// one was read. docs/protocol.md#one-id</param>
internal readonly record struct HandedIn(string By, long AtMs, bool IsQuiet = false);

internal readonly record struct StoredMessage(MessageId Id, ReadOnlyMemory<byte> Content);

/// <summary>Which members have it on disk, and how many there are in all (K + 1).</summary>
/// <param name="Generation">Of the tile when they said so: in a later one they may have lost it.</param>
/// <param name="Epoch">Of the tile within the generation: in a later one others may keep it.</param>
internal sealed record CopiesKept(IReadOnlyList<Peer> Members, int Of, ulong Generation = 0, ulong Epoch = 0)
{
    /// <summary>Whether the tile has had other members since.</summary>
    public bool IsOlderThan(CopiesKept other) =>
        (Generation, Epoch).CompareTo((other.Generation, other.Epoch)) < 0;

    /// <summary>Whether it says more than an earlier report does.</summary>
    public bool IsNewsAfter(CopiesKept earlier) => Generation > earlier.Generation
        || (!IsOlderThan(earlier) && Members.Count > earlier.Members.Count);
}

/// <summary>The tile and which link of its chain this is, and its members, the owner first.</summary>
internal sealed record SetPlace(TileEpoch At, IReadOnlyList<Peer> Members);

/// <param name="Answering">Those members that have answered just now and keep the tile in this very epoch.</param>
internal sealed record FoundPlace(SetPlace Place, IReadOnlyList<Peer> Answering);

internal abstract record AddOutcome
{
    private AddOutcome() { }

    /// <summary>On disk at a majority.</summary>
    /// <param name="IsOther">Whether a member holds another message of its id, or the mark that one was acknowledged:
    /// nobody may be given this one in its place.</param>
    public sealed record Stored(CopiesKept Copies, bool IsOther = false) : AddOutcome;

    /// <summary>A majority says the set is at its limit; nothing was kept.</summary>
    public sealed record Full : AddOutcome;

    /// <summary>Too many members hold another message of this id.</summary>
    public sealed record Occupied : AddOutcome;

    /// <summary>It was first handed in too long ago. It may have been kept and read since.</summary>
    public sealed record TooLate : AddOutcome;

    /// <summary>No majority answered; <paramref name="Copies"/> tells who has it all the same. Retry with the same
    /// id.</summary>
    public sealed record Queued(CopiesKept Copies) : AddOutcome;
}

/// <summary>Not enough members answered in time to be sure; retrying later is safe.</summary>
internal sealed class NoMajorityException(string message) : Exception(message);
