using System.Security.Cryptography;
using ChordChat.Crypto;
using ChordChat.Sdk.Storage;
using ChordChat.Wire;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>A message whose sender's key-log entry is not known here, or which no key of this device opens.</summary>
/// <param name="From">Whose keys are to be looked up: its sender as it says itself, of which nothing is verified yet;
/// this user if no key opens it.</param>
/// <param name="Entry">The key-log entry that it names, or the id of the key that it is sealed to.</param>
internal sealed record Unjudged(string From, Digest Entry, Push Push);

/// <summary>Remembers which messages wait for keys, so that one that comes again costs no second
/// opening, and which of them are hopeless.</summary>
/// <remarks>docs/e2e.md, Receiving. Envelopes are not kept: the mailbox has them.</remarks>
internal sealed class UnjudgedMail(LocalStore store, TimeProvider time, int countMax = UnjudgedMail.CountMax)
{
    /// <summary>Logs without the named entry that have to be seen before a message is hopeless.</summary>
    public const int TriesMax = 8;

    /// <summary>When more wait, the newest of the sender with the most make room; they come again with the next
    /// session.</summary>
    public const int CountMax = 20_000;

    /// <summary>How long a message has to have waited before it is hopeless.</summary>
    public static readonly TimeSpan WaitMin = TimeSpan.FromMinutes(3);

    /// <summary>Mail that nobody read expires after this.</summary>
    private static readonly TimeSpan MailAgeMax = TimeSpan.FromDays(30);

    /// <summary>Whether this very envelope waits already.</summary>
    public bool Contains(Push push) => store.Read(db => db.Scalar<byte[]>(
        "SELECT mark FROM unjudged WHERE id = $1", IdOf(push))) is { } mark
        && mark.AsSpan().SequenceEqual(MarkOf(push));

    public void Add(IReadOnlyCollection<Unjudged> some)
    {
        if (some.Count == 0)
            return;
        // After a power cut they are opened once more.
        store.WriteSoon(db =>
        {
            var now = Now;
            db.Execute("DELETE FROM unjudged WHERE since_ms < $1", now - (long)MailAgeMax.TotalMilliseconds);
            foreach (var one in some.Where(one => IsRoomFor(db, one.From)))
                db.Execute(
                    """
                    INSERT INTO unjudged (id, peer, entry, mark, since_ms) VALUES ($1, $2, $3, $4, $5)
                    ON CONFLICT DO UPDATE SET peer = excluded.peer, entry = excluded.entry, mark = excluded.mark
                    """,
                    IdOf(one.Push), one.From, one.Entry.ToBytes(), MarkOf(one.Push), now);
        });
    }

    private bool IsRoomFor(SqliteConnection db, string peer)
    {
        if (db.Scalar<long>("SELECT count(*) FROM unjudged") < countMax)
            return true;
        var most = db.Scalar<string>("SELECT peer FROM unjudged GROUP BY peer ORDER BY count(*) DESC, peer LIMIT 1");
        return most != peer && db.Execute(
            """
            DELETE FROM unjudged WHERE id = (
                SELECT id FROM unjudged WHERE peer = $1 ORDER BY since_ms DESC, id DESC LIMIT 1)
            """,
            most) == 1;
    }

    /// <summary>Everybody whose messages wait here, each with one of the entries that they name.</summary>
    public Dictionary<string, Digest> Senders() => store.Read(db => db.Query(
        "SELECT peer, min(entry) FROM unjudged GROUP BY peer",
        row => (Peer: row.GetString(0), Entry: Digest.FromBytes(row.Blob(1)))))
        .DistinctBy(one => one.Peer).ToDictionary(one => one.Peer, one => one.Entry);

    /// <summary>Whether messages of this sender wait that can be judged as soon as they come again.</summary>
    /// <param name="isKnown">Whether the sender's log, as it is known here, has an entry.</param>
    public bool HasReady(string peer, Func<Digest, bool> isKnown) =>
        store.Read(db => EntriesOf(db, peer)).Exists(entry => isKnown(entry));

    /// <summary>As the other, for entries all of which are known.</summary>
    public bool HasAny(string peer, IReadOnlyCollection<Digest> entries) => store.Read(db => entries.Any(entry =>
        db.Scalar<long>("SELECT 1 FROM unjudged WHERE peer = $1 AND entry = $2 LIMIT 1", peer, entry.ToBytes()) == 1));

    /// <summary>Messages that name these entries are judged when they come.</summary>
    public void Forget(string peer, IReadOnlyCollection<Digest> entries) =>
        store.Write(db => Forget(db, peer, entries));

    private static int Forget(SqliteConnection db, string peer, IEnumerable<Digest> entries) => entries.Sum(entry =>
        db.Execute("DELETE FROM unjudged WHERE peer = $1 AND entry = $2", peer, entry.ToBytes()));

    /// <summary>The sender's log was read, as nodes show it now.</summary>
    /// <param name="isKnown">Whether the log has an entry.</param>
    /// <param name="isTry">Whether so many nodes showed it that this is one try for each message that waits.</param>
    /// <returns>How many can be judged when they come again, the ids of those that never will be, and how many wait on.
    /// None of the first two waits here any more.</returns>
    public (int ReadyCount, List<string> Hopeless, int WaitingCount) Looked(
        string peer, Func<Digest, bool> isKnown, bool isTry = true) =>
        store.Write(db =>
        {
            var ready = Forget(db, peer, EntriesOf(db, peer).Where(isKnown));
            if (isTry)
                db.Execute("UPDATE unjudged SET tries = coalesce(tries, 0) + 1 WHERE peer = $1", peer);
            var hopeless = db.Query(
                """
                DELETE FROM unjudged
                WHERE peer = $1 AND tries >= $2 AND coalesce(CAST(since_ms AS INTEGER), 0) <= $3 RETURNING id
                """,
                row => row.GetString(0), peer, TriesMax, Now - (long)WaitMin.TotalMilliseconds);
            var waiting = db.Scalar<long>("SELECT count(*) FROM unjudged WHERE peer = $1", peer);
            return (ready, hopeless, (int)waiting);
        });

    private static List<Digest> EntriesOf(SqliteConnection db, string peer) => db.Query(
        "SELECT DISTINCT entry FROM unjudged WHERE peer = $1", row => Digest.FromBytes(row.Blob(0)), peer);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static string IdOf(Push push) => Convert.ToHexStringLower(push.Id.Span);

    private static byte[] MarkOf(Push push) => SHA256.HashData(push.Envelope.Span);
}
