using ChordChat.Core.Ring;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>What goes to a client in one frame.</summary>
/// <param name="CaughtUp">The newest reading of the mailbox that the client had asked for before the one began that has
/// been pushed completely; null if none has.</param>
internal sealed record OutgoingBatch(
    IReadOnlyList<SendReport>? Reports,
    IReadOnlyList<StoredMessage>? Mail,
    bool Heartbeat,
    ulong? CaughtUp,
    SessionEnd? End)
{
    /// <summary>The answer to a change of the user's circle; null as a rule.</summary>
    public CircleOutcome? Circle { get; init; }

    public bool IsEmpty => Reports is null && Mail is null && Circle is null && !Heartbeat && CaughtUp is null
        && End is null;
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
    /// <summary>The same device has begun a newer session. A client that is alive hears it of a copy.</summary>
    SameDevice,
}

internal sealed record SessionEnd(SessionEndReason Reason, ReadOnlyMemory<byte> Entry, string Text)
{
    /// <summary>With <see cref="SessionEndReason.TakenOver"/>: the entries that lead from the client's own to the
    /// newest; empty when the client knows all but the newest.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Since { get; init; } = [];

    public static readonly SessionEnd OfStoppingNode =
        new(SessionEndReason.NodeStopping, default, "this node stops");

    /// <summary>With <see cref="SessionEndReason.SameDevice"/>: the hello that began the newer session, and at which
    /// node.</summary>
    public (NodeId Node, KeptHello Hello)? Newer { get; init; }

    public static SessionEnd OfSameDevice(NodeId node, KeptHello newer) =>
        new(SessionEndReason.SameDevice, default, "this device has begun a newer session") { Newer = (node, newer) };

    public static SessionEnd Elsewhere(string why) => new(SessionEndReason.Elsewhere, default, why);
}
