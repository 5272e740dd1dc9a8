using System.Collections.Concurrent;
using System.Text;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using ChordChat.Wire;
using Google.Protobuf;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>What became of some pushes.</summary>
/// <param name="Acknowledge">Ids that the mailbox need not offer again.</param>
/// <param name="MustAsk">Those whose sender's keys must be asked for before they can be judged.</param>
/// <param name="UnjudgedCount">How many others are not acknowledged; they come again when they are asked for.</param>
internal sealed record Handled(
    Kept Kept, List<ByteString> Acknowledge, List<(string From, Push Push)> MustAsk, int UnjudgedCount);

/// <summary>Opens what nodes push, checks every claim in it, and keeps it; only then may it be acknowledged.</summary>
/// <remarks>
/// docs/e2e.md, Receiving. Every failure is silent, never an answer: no node learns which check failed.
/// </remarks>
internal sealed class Inbox(UnlockedProfile me, KeyBook keys, MessageTable messages, TimeProvider time)
{
    private readonly ArrivalTable _arrivals = new(messages);

    private const int DroppedMax = 64;

    /// <summary>Mail that nobody read expires after this, so there is no second look at older.</summary>
    private static readonly TimeSpan MailAgeMax = TimeSpan.FromDays(30);

    /// <summary>The newest envelopes that were not genuine, each with its id and what was wrong; for whoever looks for
    /// a fault at this end. The first time is <see cref="Doubted"/>.</summary>
    public ConcurrentQueue<string> Dropped { get; } = [];

    /// <summary>Those that were not genuine when they came first.</summary>
    public ConcurrentQueue<string> Doubted { get; } = [];

    /// <summary>Handles some pushes from what is known here; asks no node.</summary>
    public Handled Handle(Device device, IReadOnlyList<Push> pushes)
    {
        var acknowledge = new List<ByteString>();
        var mustAsk = new List<(string From, Push Push)>();
        var opened = new List<OpenedMessage>();
        foreach (var push in pushes)
        {
            var id = Convert.ToHexStringLower(push.Id.Span);
            if (me.Store.Read(db => ArrivalTable.IsKnown(db, id)))
            {
                acknowledge.Add(push.Id);
                continue;
            }

            var (message, settled) = Open(device, push, id, mustAsk);
            if (message is not null)
                opened.Add(message);
            if (settled)
                acknowledge.Add(push.Id);
        }

        return new Handled(
            Keep(device, opened), acknowledge, mustAsk, pushes.Count - acknowledge.Count - mustAsk.Count);
    }

    /// <summary>Shows what was held back for messages that did not come.</summary>
    public Kept GiveUpGaps() => me.Store.Write(db =>
    {
        var kept = new Kept();
        ArrivalTable.GiveUpGaps(db, kept);
        return kept;
    });

    public bool HasGaps => me.Store.Read(ArrivalTable.HasGaps);

    /// <param name="mustAsk">Gets the message if a node must be asked for its sender's keys first.</param>
    /// <returns>The message if it is genuine; whether the mailbox need not offer it again.</returns>
    private (OpenedMessage? Message, bool Settled) Open(
        Device device, Push push, string id, List<(string From, Push Push)> mustAsk)
    {
        var unverified = DirectEnvelope.Open(push.Envelope.Span, me.Cluster, me.User, device.Find);
        if (unverified is null || unverified.Id.ToString() != id)
            return (null, Refuse(id, unverified is null ? "does not open" : "has another id inside"));
        if (unverified.From == me.User)
            return (null, Settled: true);
        var (log, isUnknown) = keys.Containing(unverified.From, unverified.FromEntry);
        if (isUnknown)
            mustAsk.Add((unverified.From, push));
        if (log is null)
            return (null, Settled: false);
        if (unverified.Verify(log, device.Log) is not { } message)
            return (null, Refuse(id, $"is not signed by {unverified.From}"));
        if (message.IsWrongKeyForMe)
            keys.RaiseConflict(message.Message.From);
        return (message, Settled: true);
    }

    /// <summary>What is acknowledged is gone from every copy of the mailbox, so one bad copy or one bad node on the way
    /// must not do: the message is looked at twice.</summary>
    /// <returns>Whether the mailbox need not offer it again.</returns>
    private bool Refuse(string id, string why)
    {
        var isSecond = me.Store.Write(db =>
        {
            var wasThere = db.Execute("DELETE FROM doubted WHERE id = $1", id) == 1;
            if (wasThere)
                return true;
            db.Execute("DELETE FROM doubted WHERE at_ms < $1", Now - (long)MailAgeMax.TotalMilliseconds);
            db.Execute("INSERT INTO doubted (id, at_ms) VALUES ($1, $2)", id, Now);
            return false;
        });
        var list = isSecond ? Dropped : Doubted;
        list.Enqueue($"{id} {why}");
        if (list.Count > DroppedMax)
            list.TryDequeue(out _);
        return isSecond;
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private Kept Keep(Device device, List<OpenedMessage> opened)
    {
        var kept = new Kept();
        if (opened.Count == 0)
            return kept;
        me.Store.Write(db =>
        {
            foreach (var message in opened)
            {
                _arrivals.Keep(db, ToArrival(device, message), wholeHistory: device.Epoch == 1, Now, kept);
                if (message.Message.Content is MessageContent.Receipt receipt)
                    Apply(db, message.Message.From, receipt, kept);
            }

            foreach (var peer in kept.Late)
                ChatOrder.Renew(db, peer);
        });
        return kept;
    }

    private static void Apply(SqliteConnection db, string from, MessageContent.Receipt receipt, Kept kept)
    {
        var state = receipt.Kind == ReceiptKind.Read ? MessageState.Read : MessageState.Delivered;
        foreach (var id in receipt.Messages.Select(id => id.ToString()))
            if (MessageTable.Receipt(db, id, from, state))
            {
                // What has arrived need not be sent again, whatever the mailbox said.
                db.Execute("DELETE FROM outbox WHERE id = $1", id);
                kept.Receipted.Add(id);
            }
    }

    private static Arrival ToArrival(Device device, OpenedMessage opened) => new(
        opened.Id.ToString(),
        opened.Message.From,
        opened.Message.FromEpoch,
        opened.Message.Seq,
        opened.BodyHash,
        opened.Message.PreviousBody,
        device.Log.Find(opened.Message.ToEntry)?.Epoch ?? 0,
        opened.Message.AckSeq,
        (long)opened.Message.TimeMs,
        opened.Message.Content is MessageContent.Text text ? Encoding.UTF8.GetBytes(text.Value) : null,
        opened.IsFromReplacedDevice ? "sent by a device replaced since" : "");
}
