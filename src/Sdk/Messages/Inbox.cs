using System.Collections.Concurrent;
using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using ChordChat.Wire;
using Google.Protobuf;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>What became of some pushes.</summary>
/// <param name="MustAsk">Those that can be judged only after keys were asked for.</param>
/// <param name="Doubted">Those that did not look genuine, or cannot be judged before the circle is known. They come
/// again when they are asked for.</param>
internal sealed record Handled(List<Unjudged> MustAsk, List<Push> Doubted);

/// <summary>Opens what nodes push, checks every claim in it, and keeps it; only then may it be acknowledged.</summary>
/// <remarks>
/// docs/e2e.md, Receiving. Every failure is silent, never an answer: no node learns which check failed.
/// </remarks>
internal sealed class Inbox(
    UnlockedProfile me, KeyBook keys, MessageTable messages, TimeProvider time, IClientSink sink)
    : IHeldMessages
{
    private readonly Lock _turn = new(); // What is released is told in the order in which it was.
    private readonly ArrivalTable _arrivals = new(messages);

    private const int DroppedMax = 64;

    /// <summary>Messages that did not look genuine at the first look. The oldest make room, and are looked at twice
    /// again if they come.</summary>
    internal const int DoubtedMax = 20_000;

    /// <summary>Of each sender: receipts behind a gap that no message will ever speak of.</summary>
    private readonly Dictionary<string, int> _givenUp = [];

    /// <summary>Mail that nobody read expires after this, so there is no second look at older.</summary>
    private static readonly TimeSpan MailAgeMax = TimeSpan.FromDays(30);

    /// <summary>The newest envelopes that were dropped because they were not genuine or can never be judged, each with
    /// its id and what was wrong; for whoever looks for a fault at this end. The first time is <see cref="Doubted"/>.
    /// </summary>
    public ConcurrentQueue<string> Dropped { get; } = [];

    /// <summary>Those that were not genuine when they came first.</summary>
    public ConcurrentQueue<string> Doubted { get; } = [];

    /// <summary>Ids that the mailbox need not offer again; for whoever holds the session.</summary>
    public SettledIds Settled { get; } = new();

    /// <summary>Whether somebody's messages wait to be accepted.</summary>
    public bool IsStranger(string user) => me.Store.Read(db => RequestTable.IsStrangerHere(db, user));

    /// <summary>Of whom anything is held back that was not given up yet.</summary>
    public IReadOnlyCollection<string> Gaps()
    {
        lock (_turn)
        {
            var held = me.Store.Read(ArrivalTable.Held);
            foreach (var sender in _givenUp.Keys)
                _givenUp[sender] = Math.Min(_givenUp[sender], held.GetValueOrDefault(sender));
            return [.. held.Where(one => one.Value > _givenUp.GetValueOrDefault(one.Key)).Select(one => one.Key)];
        }
    }

    /// <summary>Handles some pushes from what is known here; asks no node.</summary>
    public Handled Handle(Device device, IReadOnlyList<Push> pushes)
    {
        lock (_turn)
        {
            var mustAsk = new List<Unjudged>();
            var opened = new List<(OpenedMessage Message, Push Push)>();
            var doubted = new List<Push>();
            foreach (var push in pushes.Where(push => !TrySettle(push)))
            {
                var askedCount = mustAsk.Count;
                var (message, isDropped) = Open(device, push, mustAsk);
                if (message is not null)
                    opened.Add((message, push));
                else if (isDropped)
                    SettleUnlessHeld(push.Id);
                else if (mustAsk.Count == askedCount)
                    doubted.Add(push);
            }

            if (opened.Count > 0)
            {
                var kept = Keep(device, opened);
                doubted.AddRange(pushes.Where(push => kept.Later.Contains(Convert.ToHexStringLower(push.Id.Span))));
                Tell(kept);
            }

            return new Handled(mustAsk, doubted);
        }
    }

    /// <summary>Whether nothing is left to do with it. If it is here already, the mailbox need not offer it again
    /// unless it is held back.</summary>
    public bool TrySettle(Push push)
    {
        // A signal, of which this version knows none. No node keeps it: what has its id in the mailbox is another
        // message. docs/e2e.md, Signals.
        if (EnvelopeHeader.SaysDoNotStore(push.Envelope.Span))
            return true;
        var id = Convert.ToHexStringLower(push.Id.Span);
        var isKnown = me.Store.Read(db => ArrivalTable.IsKnown(db, id) && !IsOther(db, id, push));
        if (isKnown)
            SettleUnlessHeld(push.Id);
        return isKnown;
    }

    private void SettleUnlessHeld(ByteString id)
    {
        if (!me.Store.Read(db => ArrivalTable.IsHeld(db, Convert.ToHexStringLower(id.Span))))
            Settled.Add(id);
    }

    /// <summary>Whether another text than the one that is here came under its id, and was not taken yet.</summary>
    private static bool IsOther(SqliteConnection db, string id, Push push) =>
        ChainTable.MarkOf(db, id) is { } mark && Arrival.MarkOf(push.Envelope.Span) is var came
        && !came.AsSpan().SequenceEqual(mark) && !ArrivalTable.IsKnown(db, Arrival.IdOf(came));

    /// <summary>The mailbox has been read whole, but for mail of some senders that is still to come.</summary>
    public void CaughtUp(IReadOnlySet<string> waiting) =>
        Change((db, kept) => ArrivalTable.Begin(db, sender => !waiting.Contains(sender), kept));

    /// <summary>Shows what was held back for messages of these senders that did not come.</summary>
    public void GiveUpGaps(IReadOnlySet<string> senders)
    {
        lock (_turn)
        {
            Change((db, kept) => ArrivalTable.GiveUpGaps(db, senders, kept));
            foreach (var sender in senders)
            {
                // Receipts, which were applied when they came.
                var rest = me.Store.Read(db => ArrivalTable.HeldOf(db, sender));
                _givenUp[sender] = rest.Count;
                foreach (var id in rest)
                    Settle(id);
            }
        }
    }

    private void Change(Action<SqliteConnection, Kept> change)
    {
        lock (_turn)
            Tell(me.Store.Write(db =>
            {
                var kept = new Kept();
                change(db, kept);
                return kept;
            }));
    }

    private void Tell(Kept kept)
    {
        foreach (var id in kept.Settled)
            Settle(id);
        sink.Take(kept);
    }

    private void Settle(string id) => Settled.Add(ByteString.CopyFrom(Convert.FromHexString(id)));

    /// <param name="mustAsk">Gets the message if its sender's keys are not known, or in conflict, or if it is sealed to
    /// no key of this device.</param>
    /// <returns>The message if it is genuine; otherwise whether it is dropped for good.</returns>
    private (OpenedMessage? Message, bool IsDropped) Open(
        Device device, Push push, List<Unjudged> mustAsk)
    {
        var id = Convert.ToHexStringLower(push.Id.Span);
        var unverified = DirectEnvelope.Open(push.Envelope.Span, me.Cluster, me.User, device.Find);
        if (unverified is null && KeyElsewhere(device, push.Envelope.Span, id) is { } key)
        {
            mustAsk.Add(new Unjudged(me.User, key, push));
            return (null, IsDropped: false);
        }

        if (unverified is null || unverified.Id.ToString() != id)
            return (null, Refuse(id, unverified is null ? "does not open" : "has another id inside"));
        if (unverified.From == me.User)
            return (null, IsDropped: true);
        if (me.Store.Read(db => Circle.IsCertainlyBlocked(db, unverified.From)) is { } isCertain)
            return (null, IsDropped: isCertain); // Or it comes again.
        if (keys.Containing(unverified.From, unverified.FromEntry) is not { } log)
        {
            mustAsk.Add(new Unjudged(unverified.From, unverified.FromEntry, push));
            return (null, IsDropped: false);
        }

        return unverified.Verify(log, device.Log) is { } message
            ? (message, IsDropped: false)
            : (null, Refuse(id, $"is not signed by {unverified.From}"));
    }

    /// <summary>The key that an envelope is sealed to, if this device has none that opens it: it may be for a newer
    /// device of this user.</summary>
    private Digest? KeyElsewhere(Device device, ReadOnlySpan<byte> envelope, string id) =>
        EnvelopeHeader.TryParse(envelope) is { } header && header.Cluster == me.Cluster && header.Id.ToString() == id
        && header.Recipients.All(key => device.Find(key) is null)
            ? header.Recipients[0]
            : null;

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
            if (db.Scalar<long>("SELECT count(*) FROM doubted") > DoubtedMax)
                db.Execute(
                    "DELETE FROM doubted WHERE id IN (SELECT id FROM doubted ORDER BY at_ms, id LIMIT $1)",
                    DoubtedMax / 8);
            return false;
        });
        Note(isSecond ? Dropped : Doubted, id, why);
        return isSecond;
    }

    /// <summary>A message that can never be judged: the mailbox need not offer it again.</summary>
    public void Drop(string id, string why)
    {
        Settle(id);
        Note(Dropped, id, why);
    }

    private static void Note(ConcurrentQueue<string> list, string id, string why)
    {
        list.Enqueue($"{id} {why}");
        if (list.Count > DroppedMax)
            list.TryDequeue(out _);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private Kept Keep(Device device, List<(OpenedMessage Message, Push Push)> opened)
    {
        var kept = new Kept();
        var arrivals = opened.Select(one => (one.Message.Message, ToArrival(device, one.Message, one.Push))).ToList();
        // Before anything is stored: what is known is not judged again, so the end of this program in between must not
        // lose the alarm.
        foreach (var accuser in me.Store.Read(db => Accusers(db, arrivals)))
            keys.RaiseConflict(accuser);
        me.Store.Write(db =>
        {
            foreach (var (message, whole) in arrivals)
            {
                var arrival = ChainTable.MarkOf(db, whole.Id) is { } mark ? whole.Unless(mark) : whole;
                if (!RequestTable.Admit(db, arrival, kept))
                    continue;
                _arrivals.Keep(db, arrival, wholeHistory: device.Epoch == 1, Now, kept);
                if (message.Content is MessageContent.Receipt receipt)
                    Apply(db, device, message.From, receipt, kept);
            }

            kept.MustRenew = kept.IsCopied && Profile.MarkCopied(db, Now);
        });
        return kept;
    }

    /// <summary>Who shows that somebody was given another key of ours. What a stranger can write alone is no reason for
    /// an alarm.</summary>
    private static HashSet<string> Accusers(
        SqliteConnection db, List<(DirectMessage Message, Arrival Whole)> arrivals) =>
    [
        .. arrivals.Where(one => one.Whole.ToEpoch == 0 && !RequestTable.IsUnwrittenTo(db, one.Message.From))
            .Select(one => one.Message.From),
    ];

    private static void Apply(
        SqliteConnection db, Device device, string from, MessageContent.Receipt receipt, Kept kept)
    {
        var report = receipt.Kind == ReceiptKind.Read ? MessageReport.Read : MessageReport.Delivered;
        var note = receipt.Kind == ReceiptKind.Fork ? "your contact sees this with a mark: this profile is a copy" : "";
        foreach (var id in receipt.Messages.Select(id => id.ToString()))
            if (MessageTable.Receipt(db, id, from, report, note))
            {
                kept.IsCopied |= receipt.Kind == ReceiptKind.Fork && MessageTable.EpochOf(db, id) == device.Epoch;
                // What has arrived need not be sent again, whatever the mailbox said.
                db.Execute("DELETE FROM outbox WHERE id = $1", id);
                kept.Receipted.Add(id);
            }
    }

    private Arrival ToArrival(Device device, OpenedMessage opened, Push push) => new(
        opened.Id.ToString(),
        opened.Message.From,
        opened.Message.FromEpoch,
        opened.Message.Seq,
        opened.BodyHash,
        opened.Message.PreviousBody,
        device.Log.Find(opened.Message.ToEntry)?.Epoch ?? 0,
        opened.Message.AckSeq,
        (long)opened.Message.TimeMs,
        opened.Message.Content switch
        {
            MessageContent.Text text => Encoding.UTF8.GetBytes(text.Value),
            MessageContent.Unsupported => Encoding.UTF8.GetBytes(MessageTable.NotShowable),
            _ => null,
        },
        string.Join("; ", Notes(opened)))
    {
        Mark = Arrival.MarkOf(push.Envelope.Span),
        IsToThisDevice = opened.Message.ToEntry == device.Log.Head.Hash,
    };

    private IEnumerable<string> Notes(OpenedMessage opened)
    {
        if (opened.IsFromReplacedDevice)
            yield return "sent by a device that has since been replaced";
        if (opened.IsWrongKeyForMe)
            yield return "its sender was shown a key that is not yours";
        if (keys.IsInConflict(opened.Message.From))
            yield return "somebody showed other keys of its sender";
    }
}
