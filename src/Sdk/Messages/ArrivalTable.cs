using ChordChat.Crypto;
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
    private const string TwinNote = "written by a copy of the sender's profile";

    private const string HeldRows = """
        FROM chains c JOIN heard h ON h.peer = c.peer AND h.epoch = c.epoch AND h.seq > c.seq WHERE c.mine = 0
        """;

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
        if (BodyAt(db, arrival.From, epoch, seq) is { } twin)
        {
            result.Settled.Add(arrival.Id);
            if (twin != arrival.Body)
                KeepTwin(db, arrival, result);
            return;
        }

        db.Execute(
            "INSERT INTO heard (id, peer, epoch, seq, body, at_ms) VALUES ($1, $2, $3, $4, $5, $6)",
            arrival.Id, arrival.From, epoch, seq, arrival.Body.ToBytes(), nowMs);
        result.Fork |= (seq == 1 ? default(Digest) : BodyAt(db, arrival.From, epoch, seq - 1)) is { } before
            && before != arrival.PreviousBody;
        var last = LastOf(db, arrival.From, epoch) ?? Start(db, arrival, wholeHistory);
        if (seq <= last)
        {
            KeepLate(db, arrival, result);
            return;
        }

        if (arrival.Text is not null)
            messages.InsertTheirs(db, arrival, rank: null);
        Release(db, arrival.From, epoch, last, result);
        result.Gap |= seq > (LastOf(db, arrival.From, epoch) ?? last);
    }

    /// <summary>It comes after later ones were let through. If it lies in a gap that was given up, one less is missing
    /// there; what comes before the first number of this device nobody has counted.</summary>
    private void KeepLate(SqliteConnection db, Arrival arrival, Kept result)
    {
        var (epoch, seq) = ((long)arrival.Epoch, (long)arrival.Seq);
        result.Settled.Add(arrival.Id);
        db.Execute(
            """
            UPDATE messages SET missing = missing - 1 WHERE id = (
                SELECT m.id FROM messages m JOIN chains c ON c.peer = m.peer AND c.mine = 0 AND c.epoch = m.epoch
                WHERE m.peer = $1 AND m.mine = 0 AND m.epoch = $2 AND m.seq > $3 AND m.missing > 0 AND c.first <= $3
                ORDER BY m.seq LIMIT 1)
            """,
            arrival.From, epoch, seq);
        if (arrival.Text is null)
            return;
        messages.InsertTheirs(db, arrival, LateRank(db, arrival), isLate: true);
        result.Released.Add(arrival.Id);
        result.Late.Add(arrival.From);
    }

    /// <summary>Another message has this place: a copy of the sender's profile wrote it, as a rule a restored
    /// backup. It is signed, and its sender may have been told that it is kept: it is shown, marked, and the sender is
    /// told.</summary>
    private void KeepTwin(SqliteConnection db, Arrival arrival, Kept result)
    {
        result.Fork = true;
        if (arrival.Text is null)
            return;
        var note = arrival.Note.Length > 0 ? $"{TwinNote}; {arrival.Note}" : TwinNote;
        messages.InsertTheirs(db, arrival with { Note = note }, rank: null);
        MessageTable.Release(db, arrival.Id, new Link(
            arrival.From, Mine: false, arrival.Epoch, arrival.ToEpoch, (long)arrival.Seq, (long)arrival.Heard,
            arrival.TimeMs));
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
            WHERE c.mine = 0 AND c.is_open = 1 AND c.seq = 0 GROUP BY c.peer, c.epoch
            """,
            row => (Peer: row.GetString(0), Epoch: row.GetInt64(1), First: row.GetInt64(2)));
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
        var left = CountHeld();
        while (GiveUpFirst(db, senders, result) && CountHeld() is var now && now < left)
            left = now; // Behind a gap there may be the next one.
        ReleaseRest(db, senders, result);

        int CountHeld() => senders.Sum(sender => HeldOf(db, sender).Count);
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
                row.GetString(1), Mine: false, row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
                row.GetInt64(6))));
        foreach (var (id, link) in rest.Where(one => senders.Contains(one.Link.Peer)))
        {
            MessageTable.Release(db, id, link);
            result.Released.Add(id);
        }
    }

    private static bool GiveUpFirst(SqliteConnection db, IReadOnlySet<string> senders, Kept result)
    {
        var held = db.Query(
            """
            SELECT h.peer, h.epoch, min(h.seq), c.seq FROM heard h JOIN chains c
            ON c.peer = h.peer AND c.epoch = h.epoch AND c.mine = 0 WHERE h.seq > c.seq AND EXISTS (
                SELECT 1 FROM messages m WHERE m.peer = h.peer AND m.mine = 0 AND m.epoch = h.epoch
                AND m.seq > c.seq AND m.rank IS NULL)
            GROUP BY h.peer, h.epoch
            """,
            row => (Peer: row.GetString(0), Epoch: row.GetInt64(1), First: row.GetInt64(2), Last: row.GetInt64(3)));
        var due = held.FindAll(chain => senders.Contains(chain.Peer));
        foreach (var (peer, epoch, first, last) in due)
        {
            db.Execute(
                """
                UPDATE messages SET missing = missing + $4 WHERE id = (
                    SELECT id FROM messages WHERE peer = $1 AND mine = 0 AND epoch = $2 AND seq >= $3 AND rank IS NULL
                    ORDER BY seq LIMIT 1)
                """,
                peer, epoch, first, first - last - 1);
            Release(db, peer, epoch, first - 1, result);
        }

        return due.Count > 0;
    }

    /// <summary>How many are held back of each sender, receipts too; senders without any are left out.</summary>
    public static Dictionary<string, int> Held(SqliteConnection db) => db.Query(
        $"SELECT c.peer, count(*) {HeldRows} GROUP BY c.peer", row => (Peer: row.GetString(0), Count: row.GetInt32(1)))
        .ToDictionary(one => one.Peer, one => one.Count);

    /// <summary>What is held back of one sender.</summary>
    public static List<string> HeldOf(SqliteConnection db, string peer) =>
        db.Query($"SELECT h.id {HeldRows} AND c.peer = $1", row => row.GetString(0), peer);

    /// <summary>Advances the chain over everything that is there now, releasing messages on the way.</summary>
    private static void Release(SqliteConnection db, string peer, long epoch, long last, Kept result)
    {
        while (At(db, peer, epoch, last + 1) is { Count: > 0 } there)
        {
            last++;
            db.Execute(
                """
                INSERT INTO chains (peer, mine, epoch, seq, body) VALUES ($1, 0, $2, $3, $4)
                ON CONFLICT DO UPDATE SET seq = excluded.seq, body = excluded.body
                """,
                peer, epoch, last, there[0].Body.ToBytes());
            result.Settled.AddRange(there.Select(one => one.Id));
            var held = db.Query(
                """
                SELECT id, to_epoch, heard, sent_ms FROM messages
                WHERE peer = $1 AND mine = 0 AND epoch = $2 AND seq = $3 AND rank IS NULL
                """,
                row => (Id: row.GetString(0), Link: new Link(
                    peer, Mine: false, epoch, row.GetInt64(1), last, row.GetInt64(2), row.GetInt64(3))),
                peer, epoch, last);
            foreach (var (id, link) in held)
            {
                MessageTable.Release(db, id, link);
                result.Released.Add(id);
            }
        }
    }

    /// <returns>Null when nothing is there, or the disk damaged it.</returns>
    private static Digest? BodyAt(SqliteConnection db, string peer, long epoch, long seq) =>
        At(db, peer, epoch, seq) is [{ Body: var body }, ..] && body != default ? body : null;

    private static List<(string Id, Digest Body)> At(
        SqliteConnection db, string peer, long epoch, long seq) => db.Query(
        "SELECT id, body FROM heard WHERE peer = $1 AND epoch = $2 AND seq = $3",
        row => (row.GetString(0), row.DigestOrZero(1)), peer, epoch, seq);

    private static long? LastOf(SqliteConnection db, string peer, long epoch) => db
        .Query(
            "SELECT seq FROM chains WHERE peer = $1 AND mine = 0 AND epoch = $2", row => (long?)row.GetInt64(0),
            peer, epoch)
        .FirstOrDefault();

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
            "INSERT INTO chains (peer, mine, epoch, seq, body, is_open) VALUES ($1, 0, $2, 0, $3, $4)",
            arrival.From, (long)arrival.Epoch, default(Digest).ToBytes(), wholeHistory || met ? 0 : 1);
        return 0;
    }

    /// <summary>A place between its neighbours in the sender's order, for what comes after its gap was given
    /// up.</summary>
    private static double LateRank(SqliteConnection db, Arrival arrival)
    {
        var after = db.Scalar<double?>(
            """
            SELECT min(rank) FROM messages WHERE peer = $1 AND mine = 0 AND epoch = $2 AND seq > $3 AND rank IS NOT NULL
            """,
            arrival.From, (long)arrival.Epoch, (long)arrival.Seq);
        if (after is not { } next)
            return MessageTable.NextRank(db);
        var previous = db.Scalar<double?>("SELECT max(rank) FROM messages WHERE rank < $1", next) ?? next - 1;
        return (previous + next) / 2;
    }
}
