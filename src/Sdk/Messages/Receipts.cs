using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Storage;

namespace ChordChat.Sdk.Messages;

/// <summary>Tells senders that their messages arrived: the first at once, then at most once in two seconds a
/// chat.</summary>
/// <remarks>What is owed stands in the history itself, so a crash between storing and telling forgets
/// nothing.</remarks>
internal sealed class Receipts(LocalStore store, Outbox outbox, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private const int Delivered = 1;
    private const int Read = 2;
    private const int Fork = 3;

    private readonly Lock _turn = new();
    private readonly Dictionary<string, long> _lastSent = [];

    /// <summary>Puts what is due into the outbox.</summary>
    /// <param name="flush">Everything is due: the client is about to close.</param>
    /// <returns>Whether anything was put there, and how long until more is due (null: nothing is owed).</returns>
    public (bool Any, TimeSpan? Next) PutDue(bool flush = false)
    {
        lock (_turn) // The session and who closes the client come here.
            return PutWhatIsDue(flush);
    }

    private (bool Any, TimeSpan? Next) PutWhatIsDue(bool flush)
    {
        var owed = store.Read(db => db.Query(
            """
            SELECT peer, owed, id FROM messages WHERE owed > 0 AND owed BETWEEN 1 AND 3 AND rank IS NOT NULL
            ORDER BY rank LIMIT 2000
            """,
            row => (Peer: row.GetString(0), Kind: (int)row.Number(1), Id: row.GetString(2))));
        TimeSpan? next = null;
        var any = false;
        foreach (var chat in owed.GroupBy(message => message.Peer))
        {
            var wait = _lastSent.TryGetValue(chat.Key, out var last)
                ? Interval - time.GetElapsedTime(last)
                : TimeSpan.Zero;
            if (!flush && wait > TimeSpan.Zero)
            {
                next = next is { } sooner && sooner < wait ? sooner : wait;
                continue;
            }

            Put(chat.Key, Delivered, chat.Where(message => message.Kind == Delivered).Select(message => message.Id));
            Put(chat.Key, Read, chat.Where(message => message.Kind == Read).Select(message => message.Id));
            Put(chat.Key, Fork, chat.Where(message => message.Kind == Fork).Select(message => message.Id));
            _lastSent[chat.Key] = time.GetTimestamp();
            any = true;
        }

        return (any, next);
    }

    private void Put(string peer, int kind, IEnumerable<string> ids)
    {
        foreach (var batch in ids.Chunk(MessageContent.Receipt.MessagesMax))
            store.Write(db =>
            {
                outbox.AddReceipt(db, peer, (ReceiptKind)kind, batch);
                foreach (var id in batch)
                    db.Execute("UPDATE messages SET owed = 0 WHERE id = $1 AND owed = $2", id, kind);
            });
    }
}
