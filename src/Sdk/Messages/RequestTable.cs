using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>Messages of people to whom this user never wrote and whom they did not accept: they wait apart, and no more
/// of them than a profile can bear.</summary>
/// <remarks>docs/e2e.md, Receiving: Requests.</remarks>
internal static class RequestTable
{
    /// <summary>Messages of one person that wait.</summary>
    public const int PerSenderMax = 64;

    /// <summary>Sealed bytes of these.</summary>
    public const int PerSenderBytesMax = 256 << 10;

    /// <summary>How much more of one person is kept before it is known to whom this user wrote: they may be a friend
    /// with much mail.</summary>
    public const int UnknownFactor = 16;

    /// <summary>People whose messages wait.</summary>
    public const int SendersMax = 256;

    /// <summary>Receipts of one person that are kept before it is known to whom this user wrote.</summary>
    private const int ReceiptsMax = 1_000;

    /// <summary>Devices of strangers who gave way of whom it is known where their numbers stood.</summary>
    public const int NumbersMax = 4_096;

    private const string OffFact = "requests-off";
    private const string KnownFact = "circle-known";

    /// <summary>SQL: whether messages of somebody are requests.</summary>
    /// <param name="peer">SQL: their name.</param>
    public static string IsStranger(string peer) => $"""
        ({IsUnwritten(peer)} AND {peer} <> '{DamagedKeys.NoName}'
        AND NOT EXISTS (SELECT 1 FROM facts WHERE facts.name = '{OffFact}'))
        """;

    /// <summary>SQL: whether nothing was ever written to somebody, who was not accepted either.</summary>
    public static string IsUnwritten(string peer) =>
        $"NOT EXISTS (SELECT 1 FROM circle WHERE circle.user = {peer} AND circle.written = 1)";

    /// <summary>Whether nothing was ever written to somebody from here, who was not accepted either.</summary>
    public static bool IsUnwrittenTo(SqliteConnection db, string peer) =>
        db.Scalar<long>($"SELECT {IsUnwritten("$1")}", peer) == 1;

    /// <summary>Whether messages of somebody are requests. The only line that names them is the one that says that they
    /// want to chat.</summary>
    public static bool IsStrangerHere(SqliteConnection db, string peer) =>
        db.Scalar<long>($"SELECT {IsStranger("$1")}", peer) == 1;

    /// <summary>Whether requests wait at all; if not, everybody's messages are shown at once.</summary>
    public static bool AreOn(SqliteConnection db) => !HasFact(db, OffFact);

    public static void Switch(SqliteConnection db, bool on)
    {
        if (on)
            db.Execute("DELETE FROM facts WHERE name = $1", OffFact);
        else
        {
            PutFact(db, OffFact);
            db.Execute("UPDATE messages SET owed = -owed WHERE owed IN (-1, -3)");
        }
    }

    /// <summary>Whether this device has heard to whom its user wrote on others.</summary>
    public static bool IsCircleKnown(SqliteConnection db) => HasFact(db, KnownFact);

    public static void SetCircleKnown(SqliteConnection db)
    {
        if (!IsCircleKnown(db))
            PutFact(db, KnownFact);
    }

    /// <summary>A new device is here.</summary>
    public static void ForgetCircle(SqliteConnection db) => db.Execute("DELETE FROM facts WHERE name = $1", KnownFact);

    /// <summary>Somebody is no stranger any more: their messages are owed the receipts that strangers do not
    /// get.</summary>
    public static void Meet(SqliteConnection db, string user) =>
        db.Execute("UPDATE messages SET owed = -owed WHERE peer = $1 AND owed IN (-1, -3)", user);

    /// <summary>Asked of each message before it is kept.</summary>
    /// <returns>Whether it is to be kept; what is not is put away, or comes again once it is known who is a stranger.
    /// </returns>
    public static bool Admit(SqliteConnection db, Arrival arrival, Kept kept)
    {
        if (!IsStrangerHere(db, arrival.From))
            return true;
        var isKnown = IsCircleKnown(db);
        if (arrival.Text is { } text ? HasRoom(db, arrival.From, text.Length, isKnown, kept)
            : !isKnown && HasRoomForReceipt(db, arrival.From))
            return true;
        if (!isKnown)
        {
            kept.Later.Add(arrival.Id);
            return false;
        }

        // A receipt of somebody to whom nothing was written says nothing.
        kept.Settled.Add(arrival.Id);
        kept.PutAwayCount += arrival.Text is null ? 0 : 1;
        return false;
    }

    private static bool HasRoom(SqliteConnection db, string from, int bytes, bool isKnown, Kept kept)
    {
        var factor = isKnown ? 1 : UnknownFactor;
        var (waiting, size) = db.Query(
            "SELECT count(*), coalesce(sum(length(text)), 0) FROM messages WHERE peer = $1 AND unread = 1",
            row => (row.Number(0), row.Number(1)), from)[0];
        if (waiting >= factor * PerSenderMax || size + bytes > factor * PerSenderBytesMax)
            return false;
        if (waiting > 0 || CountSenders(db) < SendersMax)
            return true;
        if (isKnown)
            PutOldestAway(db, kept);
        return isKnown;
    }

    private static bool HasRoomForReceipt(SqliteConnection db, string from) => db.Scalar<long>(
        "SELECT count(*) FROM (SELECT 1 FROM heard WHERE peer = $1 LIMIT $2)", from, ReceiptsMax) < ReceiptsMax;

    private static long CountSenders(SqliteConnection db) => db.Scalar<long>(
        $"SELECT count(DISTINCT peer) FROM messages WHERE unread = 1 AND {IsStranger("messages.peer")}");

    /// <summary>Whose last message came first gives way. Their chains go back to before what went, so that their next
    /// message says what is missing. A chain that had not begun begins there, or nobody would count what went.
    /// </summary>
    private static void PutOldestAway(SqliteConnection db, Kept kept)
    {
        var peer = db.Scalar<string>(
            $"""
            SELECT messages.peer FROM messages LEFT JOIN heard ON heard.id = messages.id
            WHERE messages.unread = 1 AND {IsStranger("messages.peer")}
            GROUP BY messages.peer ORDER BY max(coalesce(heard.at_ms, 0)), messages.peer LIMIT 1
            """);
        db.Execute(
            """
            UPDATE chains SET is_open = 0,
                first = CASE WHEN is_open = 1 AND chains.seq = 0 THEN gone.first
                    ELSE coalesce(chains.first, 1) END,
                seq = CASE WHEN is_open = 1 AND chains.seq = 0 THEN gone.first - 1
                    ELSE min(coalesce(chains.seq, 0), gone.first - 1) END,
                floor = min(coalesce(chains.floor, 0), gone.first - 1)
            FROM (
                SELECT epoch, coalesce(min(seq - coalesce(missing, 0) - coalesce(elsewhere, 0)), 1) AS first
                FROM messages
                WHERE peer = $1 AND unread = 1 GROUP BY epoch
            ) AS gone
            WHERE chains.peer = $1 AND chains.mine = 0 AND chains.epoch = gone.epoch
            """,
            peer);
        var ids = db.Query(
            "SELECT id FROM messages WHERE peer = $1 AND unread = 1", row => row.GetString(0), peer);
        foreach (var id in ids)
            db.Execute("DELETE FROM heard WHERE id = $1", id);
        db.Execute("DELETE FROM messages WHERE peer = $1 AND unread = 1", peer);
        ForgetNumbers(db);
        kept.Settled.AddRange(ids);
        kept.PutAwayCount += ids.Count;
    }

    /// <summary>Of strangers of whom nothing is left here so many remain of whom it is known where their numbers stood;
    /// of others nobody says how many are missing before their next message.</summary>
    private static void ForgetNumbers(SqliteConnection db)
    {
        var idle = $"""
            FROM chains WHERE mine = 0 AND {IsStranger("chains.peer")}
            AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.peer = chains.peer)
            AND NOT EXISTS (SELECT 1 FROM heard WHERE heard.peer = chains.peer AND heard.epoch = chains.epoch)
            """;
        var surplus = db.Scalar<long>($"SELECT count(*) {idle}") - NumbersMax;
        if (surplus > 0)
            db.Execute(
                $"""
                DELETE FROM chains WHERE (peer, mine, epoch) IN (
                    SELECT peer, mine, epoch {idle} ORDER BY random() LIMIT $1)
                """,
                surplus + (NumbersMax / 8));
    }

    private static bool HasFact(SqliteConnection db, string name) =>
        db.Scalar<long>("SELECT 1 FROM facts WHERE name = $1", name) == 1;

    private static void PutFact(SqliteConnection db, string name) =>
        db.Execute("INSERT OR REPLACE INTO facts (name, value) VALUES ($1, x'01')", name);
}
