using ChordChat.Core.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Hands a message to the recipient's client, wherever it is connected, without waiting for disks.</summary>
internal sealed class LiveDelivery(SessionTable sessions, LeasePlaces places, ChatPeers peers)
{
    /// <returns>Whether it is on its way to the client. If not, the client finds it in its mailbox.</returns>
    public async Task<bool> DeliverAsync(
        string from, string user, MessageId id, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
    {
        // A client that gets nothing under an id and acknowledges it deletes the message everywhere.
        ArgumentOutOfRangeException.ThrowIfZero(envelope.Length);
        if (sessions.Find(user) is { } here)
            return here.Mail.Deliver(new(id, envelope), from) == DeliverOutcome.Delivered;
        for (var i = 0; i < 2; i++)
        {
            if (await places.FindAsync(user, cancellation) is not { } lease || peers.Find(lease.Node) is not { } node)
                return false;
            switch (await peers.DeliverAsync(
                node, new LiveMessage(user, lease.Session, id, envelope, from), cancellation))
            {
                case DeliverOutcome.Delivered:
                    return true;
                case DeliverOutcome.TooSlow:
                    return false;
                default:
                    places.Forget(user, lease);
                    break;
            }
        }

        return false;
    }
}
