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
    private const byte TextType = 1;
    private const byte ReceiptType = 3;

    private sealed record Row(long Position, string Id, string Peer, byte Type, byte[] Content);

    /// <summary>Stores a text; the session seals and sends it as soon as there is one.</summary>
    /// <returns>The message's id.</returns>
    public string Add(string to, byte[] text)
    {
        var id = EnvelopeId.New().ToString();
        me.Store.Write(db =>
        {
            messages.InsertMine(db, id, to, text, time.GetUtcNow().ToUnixTimeMilliseconds());
            Insert(db, id, to, TextType, text);
        });
        return id;
    }

    /// <summary>Stores a receipt, in the transaction that also strikes it from what is owed.</summary>
    public void AddReceipt(SqliteConnection db, string to, ReceiptKind kind, IEnumerable<string> ids) =>
        Insert(
            db, EnvelopeId.New().ToString(), to, ReceiptType,
            [(byte)kind, .. ids.SelectMany(Convert.FromHexString)]);

    public bool IsEmpty => me.Store.Read(db => db.Scalar<long>("SELECT count(*) FROM outbox")) == 0;

    /// <summary>Seals everything that can be sealed now, in order; a chat whose keys cannot be had is left for later.
    /// </summary>
    /// <returns>Messages that will never be sent, and whether some chat must be tried again.</returns>
    public async Task<(List<string> Refused, bool TryAgain)> SealWaitingAsync(
        Device device, CancellationToken cancellation)
    {
        var refused = new List<string>();
        var later = new HashSet<string>();
        foreach (var row in me.Store.Read(Unsealed))
        {
            if (later.Contains(row.Peer))
                continue;
            try
            {
                var log = await keys.ForSendingAsync(row.Peer, cancellation);
                me.Store.Write(db => Seal(db, device, log, row));
            }
            catch (ChordChatException cause) when (cause.Code is "unknown_user" or "key_conflict" or "bad_keys")
            {
                me.Store.Write(db => Refuse(db, row.Id, cause.Message));
                refused.Add(row.Id);
            }
            catch (ChordChatException)
            {
                later.Add(row.Peer);
            }
        }

        return (refused, later.Count > 0);
    }

    /// <summary>Sealed messages after a position, as they go onto the wire. They are sealed when they are about to be
    /// handed in, so their age is counted from then: docs/protocol.md#tombstones.</summary>
    public List<(long Position, Send Send)> Sealed(long after, int count) => me.Store.Read(db => db.Query(
        """
        SELECT position, id, peer, envelope, sealed_ms FROM outbox WHERE position > $1 AND envelope IS NOT NULL
        ORDER BY position LIMIT $2
        """,
        row => (row.GetInt64(0), new Send
        {
            Id = ByteString.CopyFrom(Convert.FromHexString(row.GetString(1))),
            To = row.GetString(2),
            Envelope = ByteString.CopyFrom(row.Blob(3)),
            AgeMs = (ulong)Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - row.GetInt64(4)),
        }),
        after, count));

    /// <summary>Applies what nodes say became of messages.</summary>
    /// <returns>The ids of those that came further.</returns>
    public List<string> Apply(IEnumerable<SendOutcome> outcomes) => me.Store.Write(db =>
    {
        var changed = new List<string>();
        foreach (var outcome in outcomes)
        {
            var id = Convert.ToHexStringLower(outcome.Id.Span);
            if (Apply(db, id, outcome))
                changed.Add(id);
        }

        return changed;
    });

    private static bool Apply(SqliteConnection db, string id, SendOutcome outcome)
    {
        var copies = string.Join(',', outcome.Copies);
        switch (outcome.State)
        {
            case SendOutcome.Types.State.Kept:
                db.Execute("DELETE FROM outbox WHERE id = $1", id);
                return MessageTable.Advance(db, id, MessageState.Kept, copies, (int)outcome.Of, "");
            case SendOutcome.Types.State.Queued:
                return MessageTable.Advance(db, id, MessageState.Queued, copies, (int)outcome.Of, "");
            case SendOutcome.Types.State.Refused:
                return Refuse(db, id, outcome.Text.Length > 0 ? outcome.Text : outcome.Code);
            default:
                return false;
        }
    }

    private static bool Refuse(SqliteConnection db, string id, string reason)
    {
        db.Execute("DELETE FROM outbox WHERE id = $1", id);
        return MessageTable.Advance(db, id, MessageState.Refused, "", 0, reason);
    }

    private void Insert(SqliteConnection db, string id, string to, byte type, byte[] content) => db.Execute(
        "INSERT INTO outbox (id, peer, type, content) VALUES ($1, $2, $3, $4)",
        id, to, (int)type, me.Key.Seal("outbox/" + id, content));

    private List<Row> Unsealed(SqliteConnection db) => db.Query(
        "SELECT position, id, peer, type, content FROM outbox WHERE envelope IS NULL ORDER BY position LIMIT 256",
        row => new Row(
            row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetByte(3),
            me.Key.OpenRecord("outbox/" + row.GetString(1), row.Blob(4))));

    /// <summary>Gives the message its place in the chain and its envelope, both for good.</summary>
    private void Seal(SqliteConnection db, Device device, KeyLog recipient, Row row)
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
            TimeMs = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds(),
            Content = Content(row),
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

    private static MessageContent Content(Row row) => row.Type == TextType
        ? new MessageContent.Text(Encoding.UTF8.GetString(row.Content))
        : new MessageContent.Receipt(
            (ReceiptKind)row.Content[0],
            [.. row.Content.Skip(1).Chunk(EnvelopeId.Bytes).Select(id => EnvelopeId.FromBytes(id))]);

    private static (ulong Seq, Digest Body) Chain(SqliteConnection db, string peer, bool mine, uint epoch) => db
        .Query(
            "SELECT seq, body FROM chains WHERE peer = $1 AND mine = $2 AND epoch = $3",
            row => ((ulong)row.GetInt64(0), Digest.FromBytes(row.Blob(1))),
            peer, mine ? 1 : 0, (long)epoch)
        .FirstOrDefault();
}
