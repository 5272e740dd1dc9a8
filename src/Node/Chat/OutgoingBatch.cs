using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>What goes to a client in one frame.</summary>
internal sealed record OutgoingBatch(
    IReadOnlyList<SendReport>? Reports,
    IReadOnlyList<StoredMessage>? Mail,
    bool Heartbeat,
    bool CaughtUp,
    SessionEnd? End)
{
    /// <summary>The answer to a change of the user's circle; null as a rule.</summary>
    public CircleOutcome? Circle { get; init; }

    public bool IsEmpty => Reports is null && Mail is null && Circle is null && !Heartbeat && !CaughtUp && End is null;
}

internal enum SessionEndReason
{
    /// <summary>Another device took over; the entry that it signed proves it.</summary>
    TakenOver,
    LoggedOut,
    NodeStopping,
    /// <summary>A majority of the account's copies says no.</summary>
    Refused,
    TooSlow,
    /// <summary>Nothing is decided: this node cannot tell, another one perhaps can.</summary>
    Elsewhere,
}

internal sealed record SessionEnd(SessionEndReason Reason, ReadOnlyMemory<byte> Entry, string Text)
{
    /// <summary>With <see cref="SessionEndReason.TakenOver"/>: the entries that lead from the client's own to the
    /// newest; empty when the client knows all but the newest.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Since { get; init; } = [];

    public static readonly SessionEnd OfStoppingNode =
        new(SessionEndReason.NodeStopping, default, "this node stops");

    public static SessionEnd Elsewhere(string why) => new(SessionEndReason.Elsewhere, default, why);
}
