using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>Keeps what arrives exactly once and releases it in its sender's order.</summary>
/// <remarks>
/// Everything here runs inside one transaction of the local store. A sender counts 1, 2, 3, ... for each chat and
/// device epoch, receipts included. What comes too early is kept at once, safely, but held back from the screen until
/// the gap is filled or given up; until then it is not settled, so that it stays in the mailbox for the next device.
/// docs/e2e.md, Order.
/// </remarks>
internal sealed class ArrivalTable(MessageTable messages)
{
    /// <summary>Of one sender, receipts too; beyond it the oldest gaps are given up at once.</summary>
    public const int HeldMax = 1_000;

    /// <summary>Counting costs: so many more may be held back before they are counted again.</summary>
    public const int HeldUncountedMax = 16;

    /// <summary>Numbers of one sender's device of which is remembered what stood there.</summary>
    public const int HeardMax = 10_000;

    /// <summary>How many of a sender's devices count for that, the newest; of older ones everything settled is
    /// forgotten.</summary>
    public const int DevicesMax = 16;

    /// <summary>So many more may be remembered before they are forgotten together.</summary>
    private const int ForgetAtOnce = 500;

    private const string TwinNote = "written by a copy of the sender's profile";

    /// <summary>CROSS: chains first, or SQLite reads all that was ever heard of somebody.</summary>
    private const string HeldRows = """
        FROM chains c CROSS JOIN heard h ON h.peer = c.peer AND h.epoch = c.epoch AND h.seq > coalesce(c.seq, 0)
        WHERE c.mine = 0
        """;

    private const string HasBegun = "(c.is_open IS NOT 1 OR c.seq > 0)";

    private const int SendersMax = 1_024;

    /// <summary>Of each sender: held back since they were counted.</summary>
    private readonly Dictionary<string, int> _uncounted = [];

    public static bool IsKnown(SqliteConnection db, string id) =>
        db.Scalar<long>("SELECT 1 FROM heard WHERE id = $1 UNION SELECT 1 FROM messages WHERE id = $1", id) == 1;

    /// <summary>It is here, but held back.</summary>
    public static bool IsHeld(SqliteConnection db, string id) => db.Scalar<long>(
        """
        SELECT h.seq > c.seq FROM heard h JOIN chains c ON c.peer = h.peer AND c.epoch = h.epoch AND c.mine = 0
        WHERE h.id = $1
        """,
        id) == 1;

    /// <param name="wholeHistory">This is the account's first device, so every chain must start at 1.</param>
    public void Keep(SqliteConnection db, Arrival arrival, bool wholeHistory, long nowMs, Kept result)
    {
        if (IsKnown(db, arrival.Id))
            return;
        var (epoch, seq) = ((long)arrival.Epoch, (long)arrival.Seq);
        if (ChainTable.IsForgotten(db, arrival.From, epoch, seq))
        {
            KeepForgotten(db, arrival, result);
            return;
        }

        if (ChainTable.BodyAt(db, arrival.From, epoch, seq) is { } twin)
        {
            result.Settled.Add(arrival.Id);
            if (twin != arrival.Body)
                KeepTwin(db, arrival, result);
            return;
        }

        db.Execute(
            "INSERT INTO heard (id, peer, epoch, seq, body, at_ms, mark) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            arrival.Id, arrival.From, epoch, seq, arrival.Body.ToBytes(), nowMs, arrival.Mark);
        if ((seq == 1 ? default(Digest) : ChainTable.BodyAt(db, arrival.From, epoch, seq - 1)) is { } before
            && before != arrival.PreviousBody)
            result.AddFork(arrival.From);
        var last = ChainTable.LastOf(db, arrival.From, epoch) ?? Start(db, arrival, wholeHistory);
        if (arrival.IsToThisDevice)
            db.Execute(
                "UPDATE chains SET elsewhere = $3 WHERE peer = $1 AND mine = 0 AND epoch = $2 AND elsewhere > $3",
                arrival.From, epoch, seq);
        if (seq <= last)
        {
            KeepLate(db, arrival, result);
            return;
        }

        if (arrival.Text is not null)
            messages.InsertTheirs(db, arrival, rank: null);
        Release(db, arrival.From, epoch, last, result);
        if (seq > (ChainTable.LastOf(db, arrival.From, epoch) ?? last))
            Bound(db, arrival.From, result);
        ChainTable.Forget(db, arrival.From, epoch, HeardMax, ForgetAtOnce);
        result.Gap |= seq > (ChainTable.LastOf(db, arrival.From, epoch) ?? last);
    }

    /// <summary>It comes after later ones were let through. If it lies in a gap that was given up, one less is missing
    /// there; what comes before the first number of this device nobody has counted.</summary>
    private void KeepLate(SqliteConnection db, Arrival arrival, Kept result)
    {
        var (epoch, seq) = ((long)arrival.Epoch, (long)arrival.Seq);
        result.Settled.Add(arrival.Id);
        var wasCounted = db.Execute(
            """
            UPDATE messages SET missing = missing - (missing > 0), elsewhere = elsewhere - (missing = 0) WHERE id = (
                SELECT m.id FROM messages m JOIN chains c ON c.peer = m.peer AND c.mine = 0 AND c.epoch = m.epoch
                WHERE m.peer = $1 AND m.mine = 0 AND m.epoch = $2 AND m.seq > $3 AND m.missing + m.elsewhere > 0
                AND c.first <= $3 ORDER BY m.seq LIMIT 1)
            """,
            arrival.From, epoch, seq) > 0;
        if (!wasCounted)
            db.Execute(
                """
                UPDATE chains SET lost = lost - (lost > 0), away = away - (lost = 0)
                WHERE peer = $1 AND mine = 0 AND epoch = $2 AND first <= $3 AND lost + away > 0
                """,
                arrival.From, epoch, seq);
        if (arrival.Text is null)
            return;
        messages.InsertTheirs(db, arrival, LateRank(db, arrival), isLate: true);
        result.Released.Add(arrival.Id);
    }

    /// <summary>What stood at its place is forgotten. A text is none that was shown, for its id would be known: it is
    /// shown as late. Nothing that was counted as missing counts as come.</summary>
    private void KeepForgotten(SqliteConnection db, Arrival arrival, Kept result)
    {
        result.Settled.Add(arrival.Id);
        if (arrival.Text is null)
            return;
        messages.InsertTheirs(db, arrival, LateRank(db, arrival), isLate: true);
        result.Released.Add(arrival.Id);
    }

    /// <summary>Another message has this place: a copy of the sender's profile wrote it, as a rule a restored
    /// backup. It is signed, and its sender may have been told that it is kept: it is shown, marked, and the sender is
    /// told.</summary>
    private void KeepTwin(SqliteConnection db, Arrival arrival, Kept result)
    {
        result.AddFork(arrival.From);
        if (arrival.Text is null)
            return;
        var note = arrival.Note.Length > 0 ? $"{TwinNote}; {arrival.Note}" : TwinNote;
        messages.InsertTheirs(db, arrival with { Note = note }, rank: null);
        MessageTable.Release(db, arrival.Id, arrival.Link);
        MessageTable.OweFork(db, arrival.Id);
        result.Released.Add(arrival.Id);
    }

    /// <summary>All mail of some senders has been read: a chain whose beginning an earlier device of ours may have
    /// received begins with the first that is here.</summary>
    /// <param name="isRead">Whether it is so of this sender.</param>
    public static void Begin(SqliteConnection db, Func<string, bool> isRead, Kept result)
    {
        var open = db.Query(
            """
            SELECT c.peer, c.epoch, min(h.seq) FROM chains c JOIN heard h ON h.peer = c.peer AND h.epoch = c.epoch
            WHERE c.mine = 0 AND c.is_open = 1 AND coalesce(c.seq, 0) = 0 GROUP BY c.peer, c.epoch
            """,
            row => (Peer: row.GetString(0), Epoch: row.Number(1), First: row.Number(2)));
        foreach (var (peer, epoch, first) in open.Where(chain => isRead(chain.Peer)))
        {
            db.Execute(
                """
                UPDATE chains SET is_open = 0, seq = $3 - 1, first = $3 WHERE peer = $1 AND mine = 0 AND epoch = $2
                """,
                peer, epoch, first);
            Release(db, peer, epoch, first - 1, result);
        }
    }

    /// <summary>Gives up on what has not come of some senders: shows what was held back, saying how many are missing. A
    /// gap that holds back nothing but receipts stays open, since nothing could say so.</summary>
    public static void GiveUpGaps(SqliteConnection db, IReadOnlySet<string> senders, Kept result)
    {
        Begin(db, senders.Contains, result);
        foreach (var sender in senders)
            foreach (var (epoch, last) in ChainsHeld(db, sender))
                if (LastTextHeld(db, sender, epoch) is { } text)
                    Release(db, sender, epoch, last, result, gapsMax: long.MaxValue, upTo: text);
        ReleaseRest(db, senders, result);
    }

    /// <summary>One more of a sender is held back. If that is more than may be, the oldest gaps are given up at once,
    /// also such as hold back receipts only. The next message that is shown says how many are missing.</summary>
    private void Bound(SqliteConnection db, string sender, Kept result)
    {
        if (_uncounted.Count > SendersMax)
            _uncounted.Clear();
        var uncounted = _uncounted[sender] = _uncounted.GetValueOrDefault(sender) + 1;
        if (uncounted < HeldUncountedMax)
            return;
        _uncounted.Remove(sender);
        var surplus = CountHeld(db, sender) - HeldMax;
        if (surplus > 0 && ChainsHeld(db, sender) is [var (epoch, last), ..])
            Release(db, sender, epoch, last, result, gapsMax: surplus);
    }

    /// <summary>Whatever is still held back has lost its place to the disk: it is shown all the same.</summary>
    private static void ReleaseRest(SqliteConnection db, IReadOnlySet<string> senders, Kept result)
    {
        var rest = db.Query(
            """
            SELECT id, peer, epoch, to_epoch, seq, heard, sent_ms FROM messages WHERE mine = 0 AND rank IS NULL
            ORDER BY seq
            """,
            row => (Id: row.GetString(0), Link: new Link(
                row.GetString(1), Mine: false, row.Number(2), row.Number(3), row.Number(4), row.Number(5),
                row.Number(6))));
        foreach (var (id, link) in rest.Where(one => senders.Contains(one.Link.Peer)))
        {
            MessageTable.Release(db, id, link);
            result.Released.Add(id);
        }
    }

    /// <summary>Where something of a sender is held back behind a gap, their oldest device first. A chain that has not
    /// begun is none of these: it waits for the mailbox, which has its own limit.</summary>
    private static List<(long Epoch, long Last)> ChainsHeld(SqliteConnection db, string sender) => db.Query(
        $"""
        SELECT c.epoch, c.seq FROM chains c WHERE c.mine = 0 AND {HasBegun} AND c.peer = $1 AND EXISTS (
            SELECT 1 FROM heard h WHERE h.peer = c.peer AND h.epoch = c.epoch AND h.seq > coalesce(c.seq, 0))
        ORDER BY c.epoch
        """,
        row => (row.Number(0), row.Number(1)), sender);

    private static long? LastTextHeld(SqliteConnection db, string peer, long epoch) => db
        .Query(
            """
            SELECT seq FROM messages WHERE peer = $1 AND mine = 0 AND epoch = $2 AND rank IS NULL
            ORDER BY seq DESC LIMIT 1
            """,
            row => (long?)row.Number(0), peer, epoch)
        .FirstOrDefault();

    private static long CountHeld(SqliteConnection db, string peer) => db.Scalar<long>(
        $"SELECT count(*) {HeldRows} AND {HasBegun} AND c.peer = $1", peer);

    /// <summary>How many are held back of each sender, receipts too; senders without any are left out.</summary>
    public static Dictionary<string, int> Held(SqliteConnection db) => db.Query(
        $"SELECT c.peer, count(*) {HeldRows} GROUP BY c.peer",
        row => (Peer: row.GetString(0), Count: (int)row.Number(1)))
        .DistinctBy(one => one.Peer).ToDictionary(one => one.Peer, one => one.Count);

    /// <summary>What is held back of one sender.</summary>
    public static List<string> HeldOf(SqliteConnection db, string peer) =>
        db.Query($"SELECT h.id {HeldRows} AND c.peer = $1", row => row.GetString(0), peer);

    /// <summary>Advances the chain in one pass over what is there now, releasing messages on the way.</summary>
    /// <param name="gapsMax">How many gaps are given up.</param>
    /// <param name="upTo">No gap behind this number is.</param>
    private static void Release(
        SqliteConnection db, string peer, long epoch, long last, Kept result, long gapsMax = 0,
        long upTo = long.MaxValue)
    {
        var (lost, away) = (0L, 0L);
        var elsewhere = ChainTable.ElsewhereOf(db, peer, epoch);
        Digest? body = null;
        while (ChainTable.NextOf(db, peer, epoch, last) is { } next)
        {
            if (next > last + 1)
            {
                if (gapsMax-- <= 0 || next > upTo)
                    break;
                var missing = next - last - 1;
                (lost, away) = next <= elsewhere ? (lost, away + missing) : (lost + missing, away);
            }

            last = next;
            var there = ChainTable.At(db, peer, epoch, next);
            body = there[0].Body;
            result.Settled.AddRange(there.Select(one => one.Id));
            if (ReleaseAt(db, peer, epoch, next, (lost, away), result))
                (lost, away) = (0, 0);
        }

        if (body is not null)
            db.Execute(
                """
                INSERT INTO chains (peer, mine, epoch, seq, body, lost, away) VALUES ($1, 0, $2, $3, $4, $5, $6)
                ON CONFLICT DO UPDATE SET
                    seq = excluded.seq, body = excluded.body, lost = coalesce(lost, 0) + excluded.lost,
                    away = coalesce(away, 0) + excluded.away
                """,
                peer, epoch, last, body.Value.ToBytes(), lost, away);
    }

    /// <summary>Shows what is held back at one place, and before it how many are missing.</summary>
    /// <param name="given">Given up on the way here.</param>
    /// <returns>Whether there is a message; receipts are not shown.</returns>
    private static bool ReleaseAt(
        SqliteConnection db, string peer, long epoch, long seq, (long Lost, long Away) given, Kept result)
    {
        var held = db.Query(
            """
            SELECT id, to_epoch, heard, sent_ms FROM messages
            WHERE peer = $1 AND mine = 0 AND epoch = $2 AND seq = $3 AND rank IS NULL
            """,
            row => (Id: row.GetString(0), Link: new Link(
                peer, Mine: false, epoch, row.Number(1), seq, row.Number(2), row.Number(3))),
            peer, epoch, seq);
        if (held.Count == 0)
            return false;
        db.Execute(
            """
            UPDATE messages SET missing = coalesce(messages.missing, 0) + $2 + c.lost,
                elsewhere = coalesce(messages.elsewhere, 0) + $5 + c.away
            FROM (SELECT coalesce(sum(lost), 0) AS lost, coalesce(sum(away), 0) AS away FROM chains
                WHERE peer = $3 AND mine = 0 AND epoch = $4) AS c
            WHERE messages.id = $1
            """,
            held[0].Id, given.Lost, peer, epoch, given.Away);
        db.Execute(
            "UPDATE chains SET lost = 0, away = 0 WHERE peer = $1 AND mine = 0 AND epoch = $2 AND lost + away IS NOT 0",
            peer, epoch);
        foreach (var (id, link) in held)
        {
            MessageTable.Release(db, id, link);
            result.Released.Add(id);
        }

        return true;
    }

    /// <summary>Where a chain starts that this device has never heard: at 1. But if an earlier device of ours may have
    /// received its beginning, it stays open until <see cref="Begin"/>: copies of the mailbox that each saw a part show
    /// it in any order. Of a sender whom this device has heard before, it has heard the next device from its
    /// beginning.</summary>
    private static long Start(SqliteConnection db, Arrival arrival, bool wholeHistory)
    {
        var met = db.Scalar<long>(
            "SELECT 1 FROM chains WHERE peer = $1 AND mine = 0 AND (is_open = 0 OR seq > 0) LIMIT 1",
            arrival.From) == 1;
        db.Execute(
            "INSERT INTO chains (peer, mine, epoch, seq, body, is_open, elsewhere) VALUES ($1, 0, $2, 0, $3, $4, $5)",
            arrival.From, (long)arrival.Epoch, default(Digest).ToBytes(), wholeHistory || met ? 0 : 1,
            ChainTable.WasAway(db) ? (long)DirectMessage.SeqMax : 0);
        var old = db.Query(
            """
            SELECT epoch FROM chains WHERE peer = $1 AND mine = 0 AND floor < seq
            ORDER BY epoch DESC LIMIT 100 OFFSET $2
            """,
            row => row.Number(0), arrival.From, DevicesMax);
        foreach (var epoch in old)
            ChainTable.Forget(db, arrival.From, epoch, but: 0);
        return 0;
    }

    /// <summary>A place between its neighbours in the sender's order, for what comes after its gap was given
    /// up.</summary>
    private static double LateRank(SqliteConnection db, Arrival arrival)
    {
        var after = db.Scalar<double?>(
            """
            SELECT rank FROM messages WHERE peer = $1 AND mine = 0 AND epoch = $2 AND seq > $3 AND rank IS NOT NULL
            ORDER BY seq, rank LIMIT 1
            """,
            arrival.From, (long)arrival.Epoch, (long)arrival.Seq);
        if (after is not { } next)
            return MessageTable.NextRank(db);
        var previous = db.Scalar<double?>("SELECT max(rank) FROM messages WHERE rank < $1", next) ?? next - 1;
        return (previous + next) / 2;
    }
}
