using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>What stood at the numbers of a sender's device, and how far this profile has come with them.</summary>
/// <remarks>docs/e2e.md, Order.</remarks>
internal static class ChainTable
{
    private const string AwayFact = "was-away";

    /// <summary>Of the envelope that is here under an id; null when it is not known.</summary>
    public static byte[]? MarkOf(SqliteConnection db, string id) =>
        db.Scalar<byte[]>("SELECT mark FROM heard WHERE id = $1", id);

    public static bool IsForgotten(SqliteConnection db, string peer, long epoch, long seq) => db.Scalar<long>(
        "SELECT 1 FROM chains WHERE peer = $1 AND mine = 0 AND epoch = $2 AND floor >= $3", peer, epoch, seq) == 1;

    /// <summary>Forgets what stood at the oldest numbers of a chain, but nothing that is held back.</summary>
    public static void Forget(SqliteConnection db, string peer, long epoch, int but, int atOnce = 1)
    {
        var floor = db.Scalar<long>(
            """
            UPDATE chains SET floor = seq - $3
            WHERE peer = $1 AND mine = 0 AND epoch = $2 AND seq - $3 >= coalesce(floor, 0) + $4 RETURNING floor
            """,
            peer, epoch, but, atOnce);
        if (floor > 0)
            db.Execute("DELETE FROM heard WHERE peer = $1 AND epoch = $2 AND seq <= $3", peer, epoch, floor);
    }

    /// <summary>What is missing before this number may have gone to another device of ours.</summary>
    public static long ElsewhereOf(SqliteConnection db, string peer, long epoch) => db.Scalar<long>(
        "SELECT elsewhere FROM chains WHERE peer = $1 AND mine = 0 AND epoch = $2", peer, epoch);

    /// <returns>Null when nothing is there but what the disk damaged.</returns>
    public static long? NextOf(SqliteConnection db, string peer, long epoch, long last) => db
        .Query(
            """
            SELECT seq FROM heard WHERE peer = $1 AND epoch = $2 AND seq > $3 AND seq <= $4 AND typeof(seq) = 'integer'
            ORDER BY seq LIMIT 1
            """,
            row => (long?)row.Number(0), peer, epoch, last, (long)DirectMessage.SeqMax)
        .FirstOrDefault();

    /// <returns>Null when nothing is there, or the disk damaged it.</returns>
    public static Digest? BodyAt(SqliteConnection db, string peer, long epoch, long seq) =>
        At(db, peer, epoch, seq) is [{ Body: var body }, ..] && body != default ? body : null;

    public static List<(string Id, Digest Body)> At(
        SqliteConnection db, string peer, long epoch, long seq) => db.Query(
        "SELECT id, body FROM heard WHERE peer = $1 AND epoch = $2 AND seq = $3",
        row => (row.GetString(0), row.DigestOrZero(1)), peer, epoch, seq);

    public static long? LastOf(SqliteConnection db, string peer, long epoch) => db
        .Query(
            "SELECT seq FROM chains WHERE peer = $1 AND mine = 0 AND epoch = $2", row => (long?)row.Number(0),
            peer, epoch)
        .FirstOrDefault();

    /// <summary>Another device of this user had sessions since this profile's device before: what is missing of what
    /// its senders sealed before they knew of this one may have gone there.</summary>
    public static void HasBeenAway(SqliteConnection db)
    {
        db.Execute("INSERT OR REPLACE INTO facts (name, value) VALUES ($1, x'01')", AwayFact);
        db.Execute("UPDATE chains SET elsewhere = $1 WHERE mine = 0", (long)DirectMessage.SeqMax);
    }

    public static bool WasAway(SqliteConnection db) =>
        db.Scalar<long>("SELECT 1 FROM facts WHERE name = $1", AwayFact) == 1;
}
