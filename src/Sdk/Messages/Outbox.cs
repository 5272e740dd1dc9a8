using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using ChordChat.Wire;
using Google.Protobuf;
using Microsoft.Data.Sqlite;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Messages;

/// <summary>What is still to be sent. A message is stored here and in the history by one commit, sealed once, and sent
/// again unchanged after every reconnect until a majority keeps it.</summary>
internal sealed class Outbox(UnlockedProfile me, KeyBook keys, MessageTable messages, TimeProvider time)
{
    private const string LostReason = "damaged on this machine's disk before it was sent; write it again";

    private const byte TextType = 1;
    private const byte ReceiptType = 3;

    /// <summary>Messages that one commit seals.</summary>
    private const int SealedAtOnce = 64;

    /// <param name="Content">Null when the disk damaged it.</param>
    private sealed record Row(string Id, string Peer, long Type, byte[]? Content);

    /// <summary>Stores a text; the session seals and sends it as soon as there is one. If the keys of the device are
    /// gone by now, it is unsent like those that waited then.</summary>
    /// <returns>The message's id.</returns>
    public string Add(string to, byte[] text)
    {
        var id = EnvelopeId.New().ToString();
        me.Store.Write(db =>
        {
            messages.InsertMine(db, id, to, text, time.GetUtcNow().ToUnixTimeMilliseconds());
            Insert(db, id, to, TextType, text);
            Circle.WroteTo(db, to);
            if (!Profile.HasDeviceIn(db))
                Park(db, id);
        });
        return id;
    }

    /// <summary>This device's keys are forgotten: texts that are not known to be kept are put aside, marked as unsent.
    /// Nobody knows whether their sender, now elsewhere, still wants them sent, and no node tells this device what
    /// became of those that it had.</summary>
    /// <returns>How many.</returns>
    public static int Leave(SqliteConnection db)
    {
        var ids = db.Query(
            "SELECT o.id FROM outbox o JOIN messages m ON m.id = o.id WHERE o.parked = 0 AND m.state IN ($1, $2)",
            row => row.GetString(0), (int)MessageState.Waiting, (int)MessageState.Queued);
        foreach (var id in ids)
            Park(db, id);
        return ids.Count;
    }

    private static void Park(SqliteConnection db, string id)
    {
        db.Execute("UPDATE outbox SET parked = 1 WHERE id = $1", id);
        MessageTable.Advance(db, id, MessageReport.Left, [], 0, "");
    }

    /// <summary>Puts unsent messages back, each under its old id, so that one which arrived after all arrives once.
    /// </summary>
    public void SendAgain(IEnumerable<string> ids) => me.Store.Write(db =>
    {
        foreach (var id in ids)
        {
            // Behind all that ever was there: a session looks only behind what it has handed in already.
            db.Execute(
                """
                UPDATE sqlite_sequence SET seq = 1 + max(
                    coalesce(CAST(seq AS INTEGER), 0), (SELECT coalesce(max(position), 0) FROM outbox))
                WHERE name = 'outbox'
                """);
            if (db.Execute(
                """
                UPDATE outbox SET parked = 0, position = (SELECT seq FROM sqlite_sequence WHERE name = 'outbox')
                WHERE id = $1 AND parked = 1
                """,
                id) == 1)
                MessageTable.Advance(db, id, MessageReport.SentAgain, [], 0, "");
        }
    });

    /// <summary>Stores a receipt, in the transaction that also strikes it from what is owed.</summary>
    public void AddReceipt(SqliteConnection db, string to, ReceiptKind kind, IEnumerable<string> ids) =>
        Insert(
            db, EnvelopeId.New().ToString(), to, ReceiptType,
            [(byte)kind, .. ids.SelectMany(Convert.FromHexString)]);

    /// <summary>How many texts nodes do not keep yet.</summary>
    public int Texts =>
        (int)me.Store.Read(db => db.Scalar<long>(
            "SELECT count(*) FROM outbox WHERE type = $1 AND parked = 0", (int)TextType));

    public bool IsEmpty => me.Store.Read(db => db.Scalar<long>("SELECT count(*) FROM outbox WHERE parked = 0")) == 0;

    /// <summary>Seals the next messages of each chat in its order, so many that others and heartbeats wait for none.
    /// Chats whose keys must be asked for first are left for later and hold up no other.</summary>
    /// <returns>Messages that will never be sent, with whom the chats are that must be tried again, and whether there
    /// is more to seal at once.</returns>
    public (List<string> Refused, List<string> Waiting, bool HasMore) SealWaiting(Device device, KeyLookups lookups)
    {
        var hasMore = false;
        var refused = new List<string>();
        var waiting = new List<string>();
        foreach (var peer in me.Store.Read(PeersToSeal))
            try
            {
                if (keys.FreshForSending(peer) is { } log)
                    hasMore |= SealSome(device, log, peer);
                else if (lookups.Ask(peer) is { } failure && IsFinal(failure))
                    throw failure;
                else
                    waiting.Add(peer);
            }
            catch (ChordChatException cause) when (IsFinal(cause))
            {
                refused.AddRange(me.Store.Write(db => RefuseAll(db, peer, cause.Message)));
            }
            catch (ChordChatException)
            {
                // A new identity that nobody has agreed to: it waits for a word of its sender.
            }

        return (refused, waiting, hasMore);
    }

    private static bool IsFinal(ChordChatException cause) =>
        cause.Code is "unknown_user" or "key_conflict";

    /// <returns>Whether there may be more.</returns>
    private bool SealSome(Device device, KeyLog log, string peer)
    {
        var rows = me.Store.Read(db => Unsealed(db, peer, SealedAtOnce));
        if (rows.Count == 0)
            return false;
        me.Store.Write(db =>
        {
            foreach (var row in rows)
                if (row.Content is { } content)
                    Seal(db, device, log, row, content);
                else if (!Refuse(db, row.Id, LostReason))
                    RefuseLost(db); // What is damaged may be its id.
        });
        return rows.Count == SealedAtOnce;
    }

    /// <summary>The disk damaged something of the outbox: texts that nodes do not keep and that are not in it any more
    /// will never be sent, and say so.</summary>
    public static void RefuseLost(SqliteConnection db)
    {
        var ids = db.Query(
            """
            SELECT id FROM messages WHERE mine = 1 AND state IN ($1, $2, $3)
            AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.id = messages.id)
            """,
            row => row.GetString(0), (int)MessageState.Waiting, (int)MessageState.Queued, (int)MessageState.Unsent);
        foreach (var id in ids)
            MessageTable.Advance(db, id, MessageReport.Refused, [], 0, LostReason);
    }

    /// <summary>To whom there are sealed messages, in the order of their names.</summary>
    public List<string> PeersSealed() => me.Store.Read(db =>
    {
        var peers = new List<string>();
        while (db.Scalar<string>(
            "SELECT min(peer) FROM outbox WHERE parked = 0 AND envelope IS NOT NULL AND peer > $1",
            peers.LastOrDefault() ?? "")
            is { } next && next != peers.LastOrDefault()) // A name that the disk damaged stands for others.
            peers.Add(next);
        return peers;
    });

    /// <summary>Sealed messages to somebody after a position, as they go onto the wire. They are sealed when they are
    /// about to be handed in, so their age is counted from then: docs/protocol.md#tombstones.</summary>
    public List<(long Position, Send Send)> Sealed(string peer, long after, int count) => me.Store.Read(db => db.Query(
        """
        SELECT position, id, envelope, sealed_ms FROM outbox
        WHERE peer = $1 AND position > $2 AND parked = 0 AND envelope IS NOT NULL
        ORDER BY position LIMIT $3
        """,
        row => (row.Number(0), new Send
        {
            Id = ByteString.CopyFrom(Convert.FromHexString(row.GetString(1))),
            To = peer,
            Envelope = ByteString.CopyFrom(row.Blob(2)),
            AgeMs = (ulong)Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - row.Number(3)),
        }),
        peer, after, count));

    /// <summary>Applies what a node says became of messages.</summary>
    /// <param name="node">Its name: a refusal is shown as its words.</param>
    /// <returns>The ids of those that came further.</returns>
    public List<string> Apply(IEnumerable<SendOutcome> outcomes, string node) => me.Store.Write(db =>
    {
        var changed = new List<string>();
        foreach (var outcome in outcomes)
        {
            var id = Convert.ToHexStringLower(outcome.Id.Span);
            if (Apply(db, id, outcome, node))
                changed.Add(id);
        }

        return changed;
    });

    private static bool Apply(SqliteConnection db, string id, SendOutcome outcome, string node)
    {
        var copies = NodeWords.Names(outcome.Copies).ToList();
        var of = NodeWords.Count(outcome.Of);
        switch (outcome.State)
        {
            case SendOutcome.Types.State.Kept:
                var kept = MessageTable.Advance(db, id, MessageReport.Kept, copies, of, "");
                // Less than a majority keeps nothing: it is handed in again. Of a receipt no more is known than this.
                if (kept?.Progress.State is >= MessageState.Kept and <= MessageState.Read
                    || MessageProgress.IsMajority(copies.Count, of))
                    db.Execute("DELETE FROM outbox WHERE id = $1", id);
                return kept is { IsNew: true };
            case SendOutcome.Types.State.Queued:
                return MessageTable.Advance(
                    db, id, MessageReport.Queued, copies, of, "") is { IsNew: true };
            case SendOutcome.Types.State.Refused:
                var why = outcome.Text.Length > 0 ? outcome.Text : outcome.Code;
                return Refuse(db, id, $"refused by node {node}: {NodeWords.Quote(why)}");
            default:
                return false;
        }
    }

    private static List<string> RefuseAll(SqliteConnection db, string peer, string reason)
    {
        var ids = db.Query(
            "SELECT id FROM outbox WHERE parked = 0 AND envelope IS NULL AND peer = $1", row => row.GetString(0), peer);
        foreach (var id in ids)
            Refuse(db, id, reason);
        return ids;
    }

    private static bool Refuse(SqliteConnection db, string id, string reason)
    {
        db.Execute("DELETE FROM outbox WHERE id = $1", id);
        return MessageTable.Advance(db, id, MessageReport.Refused, [], 0, reason) is { IsNew: true };
    }

    private void Insert(SqliteConnection db, string id, string to, byte type, byte[] content) => db.Execute(
        "INSERT INTO outbox (id, peer, type, content) VALUES ($1, $2, $3, $4)",
        id, to, (int)type, me.Key.Seal("outbox/" + id, content));

    /// <summary>Whom there is something to be sealed for, who has waited longest first.</summary>
    private static List<string> PeersToSeal(SqliteConnection db) => db.Query(
        "SELECT peer FROM outbox WHERE parked = 0 AND envelope IS NULL GROUP BY peer ORDER BY min(position)",
        row => row.GetString(0));

    private List<Row> Unsealed(SqliteConnection db, string peer, int count) => db.Query(
        """
        SELECT id, peer, type, content FROM outbox WHERE parked = 0 AND envelope IS NULL AND peer = $1
        ORDER BY position LIMIT $2
        """,
        row => new Row(
            row.GetString(0), row.GetString(1), row.Number(2),
            row.Number(2) is TextType or ReceiptType && row.GetValue(3) is byte[] record
                ? me.Key.Open("outbox/" + row.GetString(0), record) : null),
        peer, count);

    /// <summary>Gives the message its place in the chain and its envelope, both for good.</summary>
    private void Seal(SqliteConnection db, Device device, KeyLog recipient, Row row, byte[] content)
    {
        var mine = Chain(db, row.Peer, mine: true, device.Epoch);
        var theirs = Chain(db, row.Peer, mine: false, recipient.Head.Epoch);
        var message = new DirectMessage
        {
            From = me.User,
            FromEntry = device.Log.Head.Hash,
            FromEpoch = device.Epoch,
            To = row.Peer,
            ToEntry = recipient.Head.Hash,
            Seq = mine.Seq + 1,
            PreviousBody = mine.Body,
            AckSeq = theirs.Seq,
            AckBody = theirs.Body,
            TimeMs = (ulong)Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds()),
            Content = Content(row.Type, content),
        };
        var sealedMessage = DirectEnvelope.Seal(
            me.Cluster, EnvelopeId.FromBytes(Convert.FromHexString(row.Id)), message, device.Signing,
            recipient.Head.EncryptionKey, device.Log.Head.EncryptionKey);
        db.Execute(
            "UPDATE outbox SET envelope = $2, sealed_ms = $3 WHERE id = $1",
            row.Id, sealedMessage.Envelope, (long)message.TimeMs);
        if (row.Type == TextType)
            MessageTable.SetLink(db, row.Id, new Link(
                row.Peer, Mine: true, device.Epoch, recipient.Head.Epoch, (long)message.Seq, (long)message.AckSeq,
                (long)message.TimeMs));
        db.Execute(
            """
            INSERT INTO chains (peer, mine, epoch, seq, body) VALUES ($1, 1, $2, $3, $4)
            ON CONFLICT DO UPDATE SET seq = excluded.seq, body = excluded.body
            """,
            row.Peer, (long)device.Epoch, (long)message.Seq, sealedMessage.BodyHash.ToBytes());
    }

    private static MessageContent Content(long type, byte[] content) => type == TextType
        ? new MessageContent.Text(Encoding.UTF8.GetString(content))
        : new MessageContent.Receipt(
            (ReceiptKind)content[0],
            [.. content.Skip(1).Chunk(EnvelopeId.Bytes).Select(id => EnvelopeId.FromBytes(id))]);

    private static (ulong Seq, Digest Body) Chain(SqliteConnection db, string peer, bool mine, uint epoch) => db
        .Query(
            "SELECT seq, body FROM chains WHERE peer = $1 AND mine = $2 AND epoch = $3 AND seq BETWEEN 0 AND $4",
            row => ((ulong)row.Number(0), row.DigestOrZero(1)),
            peer, mine ? 1 : 0, (long)epoch, (long)DirectMessage.SeqMax)
        .FirstOrDefault();
}
