using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Tiles;

/// <summary>The user for whom a node speaks when it asks a replica for something, and how sure the replica must be
/// that it may.</summary>
/// <remarks>docs/protocol.md#session-proofs.</remarks>
internal readonly record struct SessionNeed(string User, SessionRight Right)
{
    /// <summary>Null when the request speaks for nobody, or is about a row that there is not.</summary>
    public static SessionNeed? Of(ReplicaRequest request) => request switch
    {
        ReplicaRequest.Add { From.Length: > 0 } add when OwnerOf(add.Set) is not null =>
            new(add.From, SessionRight.Send),
        ReplicaRequest.Add add when OwnerOf(add.Set) is { } owner => new(owner, SessionRight.Read),
        ReplicaRequest.Scan scan when OwnerOf(scan.Set) is { } owner => new(owner, SessionRight.Read),
        ReplicaRequest.Acknowledge acknowledge when OwnerOf(acknowledge.Set) is { } owner =>
            new(owner, SessionRight.Change),
        ReplicaRequest.Prepare prepare => OfRegister(prepare.Key),
        ReplicaRequest.Accept accept => OfRegister(accept.Key),
        _ => null,
    };

    /// <summary>A question about the same row that anybody may ask and that changes nothing.</summary>
    public static ReplicaRequest QuestionOf(ReplicaRequest request) => request switch
    {
        ReplicaRequest.Add add => new ReplicaRequest.GetAges(add.At, add.Set, []),
        ReplicaRequest.Scan scan => new ReplicaRequest.GetAges(scan.At, scan.Set, []),
        ReplicaRequest.Acknowledge acknowledge => new ReplicaRequest.GetAges(acknowledge.At, acknowledge.Set, []),
        ReplicaRequest.Prepare prepare => new ReplicaRequest.Peek(prepare.At, prepare.Key),
        ReplicaRequest.Accept accept => new ReplicaRequest.Peek(accept.At, accept.Key),
        _ => throw new ArgumentException($"{request.GetType().Name} speaks for nobody", nameof(request)),
    };

    /// <summary>Whose mailbox it is; null for other sets.</summary>
    public static string? OwnerOf(string set) =>
        RowKind.OfSet(set) is { Writer: RowWriter.NodeOfUser } kind ? kind.KeyIn(set) : null;

    private static SessionNeed? OfRegister(string key) =>
        RowKind.OfRegister(key) is { Writer: RowWriter.NodeOfUser } kind
            ? new(kind.KeyIn(key), SessionRight.Change)
            : null;
}

/// <summary>What a shown session allows; each includes those before it.</summary>
internal enum SessionRight
{
    None,

    /// <summary>To hand in mail of the user.</summary>
    Send,

    /// <summary>To read the user's mailbox and to say where the user is.</summary>
    Read,

    /// <summary>To delete mail and to change what is the user's own.</summary>
    Change,
}

/// <summary>Shows another node that a user was let in here, and calls <paramref name="done"/>, on any thread, with what
/// that node believes.</summary>
internal delegate void SessionShower(NodeId to, string user, Action<SessionRight> done);
