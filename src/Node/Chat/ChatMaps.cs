using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Wire;
using Google.Protobuf;
using SessionPolicy = ChordChat.Node.Identity.SessionPolicy;

namespace ChordChat.Node.Chat;

/// <summary>The chat's words as clients read them. Large contents are wrapped, not copied.</summary>
internal static class ChatMaps
{
    public static ByteString ToWire(ReadOnlyMemory<byte> bytes) =>
        bytes.IsEmpty ? ByteString.Empty : UnsafeByteOperations.UnsafeWrap(bytes);

    public static NodeAddress ToWire(Peer peer) =>
        new() { Name = peer.Name, Address = peer.Address, NodeId = ToWire(peer.Node.ToBytes()) };

    public static Wire.SessionPolicy ToWire(SessionPolicy policy) =>
        policy == SessionPolicy.Reject ? Wire.SessionPolicy.Reject : Wire.SessionPolicy.Takeover;

    public static KeyLog ToWire(IReadOnlyList<ReadOnlyMemory<byte>> entries)
    {
        var log = new KeyLog();
        foreach (var entry in entries)
            log.Entries.Add(ToWire(entry));
        return log;
    }

    public static UserStatus ToWire(Lease lease, Peer? node) => new()
    {
        User = lease.User,
        Online = true,
        SinceMs = lease.SinceMs,
        NodeName = node?.Name ?? "",
    };

    public static NodeFrame ToWire(OutgoingBatch batch)
    {
        var frame = new NodeFrame
        {
            Heartbeat = batch.Heartbeat,
            CaughtUp = batch.CaughtUp is not null,
            CaughtUpReading = batch.CaughtUp ?? 0,
        };
        foreach (var report in batch.Reports ?? [])
            frame.Outcomes.Add(ToWire(report));
        foreach (var message in batch.Mail ?? [])
            frame.Pushes.Add(new Push { Id = ToWire(message.Id.ToBytes()), Envelope = ToWire(message.Content) });
        if (batch.Circle is { } circle)
            frame.Circle = ToWire(circle);
        if (batch.End is { } end)
            frame.Ended = ToWire(end);
        return frame;
    }

    private static Wire.Circle ToWire(CircleOutcome outcome)
    {
        var circle = new Wire.Circle
        {
            Code = outcome switch
            {
                CircleOutcome.Agreed => "",
                CircleOutcome.Full => "full",
                CircleOutcome.Damaged => "damaged",
                _ => "unavailable",
            },
        };
        if (outcome is CircleOutcome.Agreed(var agreed))
        {
            circle.Blocked.Add(agreed.Blocked);
            circle.WrittenTo.Add(agreed.WrittenTo);
        }

        return circle;
    }

    public static SessionEnded ToWire(SessionEnd end) => new()
    {
        Since = { end.Since.Select(ToWire) },
        Reason = end.Reason switch
        {
            SessionEndReason.TakenOver => SessionEnded.Types.Reason.TakenOver,
            SessionEndReason.LoggedOut => SessionEnded.Types.Reason.LoggedOut,
            SessionEndReason.NodeStopping => SessionEnded.Types.Reason.NodeStopping,
            SessionEndReason.TooSlow => SessionEnded.Types.Reason.TooSlow,
            SessionEndReason.Elsewhere => SessionEnded.Types.Reason.Elsewhere,
            SessionEndReason.SameDevice => SessionEnded.Types.Reason.SameDevice,
            _ => SessionEnded.Types.Reason.Refused,
        },
        Entry = ToWire(end.Entry),
        Text = end.Text,
        Newer = end.Newer is var (node, newer) ? ToWire(node, newer) : null,
    };

    private static NewerSession ToWire(NodeId node, KeptHello newer) => new()
    {
        NodeId = ToWire(node.ToBytes()),
        NodeNonce = ToWire(newer.NodeNonce),
        ClientNonce = ToWire(newer.Hello.ClientNonce),
        Signature = ToWire(newer.Hello.Signature),
    };

    private static SendOutcome ToWire(SendReport report)
    {
        var outcome = new SendOutcome
        {
            Id = ToWire(report.Id.ToBytes()),
            State = report.State switch
            {
                SendState.Kept => SendOutcome.Types.State.Kept,
                SendState.Queued => SendOutcome.Types.State.Queued,
                _ => SendOutcome.Types.State.Refused,
            },
            Of = (uint)report.Of,
            Code = report.Refusal?.Code ?? "",
            Text = report.Refusal?.Text ?? "",
        };
        foreach (var name in report.Copies)
            outcome.Copies.Add(name);
        return outcome;
    }
}
