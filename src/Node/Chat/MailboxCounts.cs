using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Mail that waits in this node's own copies of mailboxes.</summary>
internal sealed class MailboxCounts(ReplicaWriter writer, TileDirectory directory) : IMailboxCounts
{
    public int PendingCount(string user)
    {
        var mailbox = SetKey.Mailbox(user);
        return (int)Math.Min(int.MaxValue, writer.PendingCount(directory.At(mailbox.Point).Tile, mailbox.Name));
    }
}
