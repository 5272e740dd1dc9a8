using ChordChat.Core.Replication;

namespace ChordChat.Node.Chat;

/// <summary>The user for whom a node speaks when it asks a replica for something, and how sure the replica must be
/// that it may.</summary>
/// <remarks>docs/protocol.md#session-proofs.</remarks>
internal readonly record struct SessionNeed(string User, SessionRight Right)
{
    private const string Mailbox = "mbox/";
    private const string Session = "sess/";
    private const string Circle = "circle/";

    /// <summary>Null when the request speaks for nobody.</summary>
    public static SessionNeed? Of(ReplicaRequest request) => request switch
    {
        ReplicaRequest.Add { From.Length: > 0 } add when UserOf(add.Set, Mailbox) is not null =>
            new(add.From, SessionRight.Send),
        ReplicaRequest.Add add when UserOf(add.Set, Mailbox) is { } owner => new(owner, SessionRight.Read),
        ReplicaRequest.Scan scan when UserOf(scan.Set, Mailbox) is { } owner => new(owner, SessionRight.Read),
        ReplicaRequest.Acknowledge acknowledge when UserOf(acknowledge.Set, Mailbox) is { } owner =>
            new(owner, SessionRight.Change),
        ReplicaRequest.Prepare prepare => OfRegister(prepare.Key),
        ReplicaRequest.Accept accept => OfRegister(accept.Key),
        _ => null,
    };

    /// <summary>The row that such a request is about.</summary>
    public static string NameIn(ReplicaRequest request) => request switch
    {
        ReplicaRequest.Add add => add.Set,
        ReplicaRequest.Scan scan => scan.Set,
        ReplicaRequest.Acknowledge acknowledge => acknowledge.Set,
        ReplicaRequest.Prepare prepare => prepare.Key,
        ReplicaRequest.Accept accept => accept.Key,
        _ => throw new ArgumentException($"{request.GetType().Name} speaks for nobody", nameof(request)),
    };

    /// <summary>Whose mailbox it is; null for other sets.</summary>
    public static string? OwnerOf(string set) => UserOf(set, Mailbox);

    private static SessionNeed? OfRegister(string key) =>
        (UserOf(key, Session) ?? UserOf(key, Circle)) is { } user ? new(user, SessionRight.Change) : null;

    private static string? UserOf(string name, string kind) =>
        name.StartsWith(kind, StringComparison.Ordinal) ? name[kind.Length..] : null;
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
