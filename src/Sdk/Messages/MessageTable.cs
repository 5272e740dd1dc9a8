using System.Text;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>The messages of a profile: names, times and states in the clear, texts sealed.</summary>
/// <remarks>
/// <c>rank</c> grows in the order in which messages were sent or could be shown here; null while a message is held back
/// because an earlier one of its sender has not come. <c>place</c> is where it stands in its chat,
/// <see cref="ChatOrder"/>. <c>late</c>: 1 it came late; 2 the same, and the places of its chat were not computed anew
/// since. <c>unread</c>: 1 nobody has seen it; 2 and up a person has, in this order; 0 it was printed for a program, or
/// need not be; -1 it was put away when its sender was blocked.
/// </remarks>
internal sealed class MessageTable(string me, LocalKey key)
{
    /// <summary>Stands in place of a text that cannot be had.</summary>
    public const string NotShowable = "a message that this version cannot show";

    private static readonly string IsRequest =
        $"unread = 1 AND mine = 0 AND {RequestTable.IsStranger("messages.peer")}";

    private static readonly string Columns =
        "id, peer, mine, sent_ms, state, copies, copies_of, missing, note, text, reachable, typed_ms, late, "
        + IsRequest + ", elsewhere";

    public void InsertMine(SqliteConnection db, string id, string peer, byte[] text, long typedMs) => db.Execute(
        """
        INSERT INTO messages (id, peer, mine, epoch, seq, sent_ms, state, rank, unread, text, place, typed_ms)
        VALUES ($1, $2, 1, 0, 0, $3, 0, $4, 0, $5, $6, $3)
        """,
        id, peer, typedMs, NextRank(db), key.Seal(id, text), ChatOrder.AtEnd(db, peer, typedMs));

    /// <summary>A message of ours has got its number.</summary>
    public static void SetLink(SqliteConnection db, string id, Link link) => db.Execute(
        """
        UPDATE messages SET epoch = $2, seq = $3, to_epoch = $4, heard = $5, sent_ms = $6, place = $7 WHERE id = $1
        """,
        id, link.Epoch, link.Seq, link.ToEpoch, link.Heard, link.TimeMs, ChatOrder.PlaceOf(db, link));

    /// <param name="isLate">Later ones of its sender were let through already.</param>
    public void InsertTheirs(SqliteConnection db, Arrival arrival, double? rank, bool isLate = false) => db.Execute(
        $"""
        INSERT INTO messages (
            id, peer, mine, epoch, seq, sent_ms, state, rank, unread, owed, note, text, to_epoch, heard, late, place)
        VALUES ($1, $2, 0, $3, $4, $5, 3, $6, 1, iif({RequestTable.IsStranger("$2")}, -1, 1), $7, $8, $9, $10,
            $11, $12)
        """,
        arrival.Id, arrival.From, (long)arrival.Epoch, (long)arrival.Seq, arrival.TimeMs, rank, arrival.Note,
        key.Seal(arrival.Id, arrival.Text!), (long)arrival.ToEpoch, (long)arrival.Heard,
        isLate ? ChatOrder.IsDueSince : 0, isLate ? ChatOrder.PlaceOf(db, arrival.Link) : 0);

    /// <summary>It may be shown now: all of its sender's messages before it are here, or given up.</summary>
    public static void Release(SqliteConnection db, string id, Link link) => db.Execute(
        "UPDATE messages SET rank = $2, place = $3 WHERE id = $1", id, NextRank(db), ChatOrder.PlaceOf(db, link));

    /// <summary>Its sender is to learn that another message of theirs has its place.</summary>
    public static void OweFork(SqliteConnection db, string id) =>
        db.Execute("UPDATE messages SET owed = iif(owed < 0, -3, 3) WHERE id = $1", id);

    /// <summary>Of the device that sealed a message; 0 before that.</summary>
    public static long EpochOf(SqliteConnection db, string id) =>
        db.Scalar<long>("SELECT epoch FROM messages WHERE id = $1", id);

    public static double NextRank(SqliteConnection db) =>
        Math.Floor(db.Scalar<double>("SELECT max(rank) FROM messages")) + 1;

    public ChatMessage? Find(SqliteConnection db, string id) =>
        db.Query($"SELECT {Columns} FROM messages WHERE id = $1", Read, id).FirstOrDefault();

    /// <summary>The last messages with somebody, in the order of the chat.</summary>
    public List<ChatMessage> History(SqliteConnection db, string peer, int count)
    {
        var newest = db.Query(
            $"SELECT {Columns} FROM messages WHERE peer = $1 AND rank IS NOT NULL "
            + "ORDER BY place DESC, id DESC LIMIT $2",
            Read, peer, count);
        newest.Reverse();
        return newest;
    }

    /// <summary>Messages of ours that were stored after a rank, in their order.</summary>
    public List<ChatMessage> MineAfter(SqliteConnection db, double rank) => db.Query(
        $"SELECT {Columns} FROM messages WHERE rank > $1 AND mine = 1 ORDER BY rank LIMIT 1000", Read, rank);

    /// <summary>Messages of ours that a replaced device left behind.</summary>
    public List<ChatMessage> Unsent(SqliteConnection db) =>
        db.Query($"SELECT {Columns} FROM messages WHERE state = 6 ORDER BY rank", Read);

    /// <summary>Messages that came and were not shown yet, in the order in which to show them.</summary>
    /// <param name="readSince">Also those that a person has read after this, and no program has printed.</param>
    public List<ChatMessage> Unread(SqliteConnection db, int count, bool withRequests, long? readSince) => db.Query(
        $"""
        SELECT {Columns}, rank FROM messages WHERE unread = 1 AND rank IS NOT NULL AND ($2 OR ({IsRequest}) IS NOT TRUE)
        UNION ALL
        SELECT {Columns}, rank FROM messages WHERE unread > 1 AND unread > $3
        ORDER BY rank LIMIT $1
        """,
        Read, count, withRequests, readSince ?? long.MaxValue);

    /// <summary>How many of somebody's messages nobody has seen.</summary>
    public static int UnreadCount(SqliteConnection db, string peer) => (int)db.Scalar<long>(
        "SELECT count(*) FROM messages WHERE unread = 1 AND rank IS NOT NULL AND peer = $1", peer);

    /// <summary>Whose requests wait, who asked first first.</summary>
    /// <remarks>Beside min, SQLite gives the columns of the row that has it.</remarks>
    public List<ChatRequest> Requests(SqliteConnection db) => db.Query(
        $"""
        SELECT {Columns}, min(rank) AS first, count(*) FROM messages WHERE {IsRequest} AND rank IS NOT NULL
        GROUP BY peer ORDER BY first
        """,
        row => new ChatRequest(row.GetString(1), (int)row.Number(16), Read(row)));

    public static bool HasRequest(SqliteConnection db, string peer) => db.Scalar<long>(
        $"SELECT 1 FROM messages WHERE peer = $1 AND {IsRequest} AND rank IS NOT NULL LIMIT 1", peer) == 1;

    /// <summary>As <see cref="Unread"/>, of one sender only, requests or not.</summary>
    public List<ChatMessage> UnreadOf(SqliteConnection db, string peer, int count) => db.Query(
        $"SELECT {Columns} FROM messages WHERE unread = 1 AND rank IS NOT NULL AND peer = $1 ORDER BY rank LIMIT $2",
        Read, peer, count);

    /// <summary>Everybody there is a message with that is no request, the newest chat first, and how many are
    /// unread.</summary>
    public static List<(string Peer, int Unread)> Chats(SqliteConnection db) => db.Query(
        $"""
        SELECT peer, count(*) FILTER (WHERE unread = 1) FROM messages
        WHERE rank IS NOT NULL AND ({IsRequest}) IS NOT TRUE
        GROUP BY peer ORDER BY max(rank) DESC
        """,
        row => (row.GetString(0), (int)row.Number(1)));

    /// <summary>A person has read it: the sender is owed a read receipt.</summary>
    /// <param name="number">Greater than that of what was read before.</param>
    public static void MarkRead(SqliteConnection db, string id, long number)
    {
        MendUnread(db, id);
        db.Execute(
            """
            UPDATE messages SET unread = iif(unread = 1, $2, unread), owed = iif(owed IS 3, 3, 2), state = 4
            WHERE id = $1 AND mine IS NOT 1 AND (state < 4 OR unread = 1) AND unread <> -1
            """,
            id, number);
    }

    /// <summary>Where the disk damaged <c>unread</c>, the index of what is unread may have the message still, and it
    /// would be shown again and again. It leaves the index with the next change from 1.</summary>
    private static void MendUnread(SqliteConnection db, string id)
    {
        db.Execute("UPDATE messages SET unread = 1 WHERE id = $1 AND typeof(unread) <> 'integer'", id);
        if (db.Execute("UPDATE messages SET unread = 1 WHERE id = $1 AND unread = 0", id) > 0)
            db.Execute("UPDATE messages SET unread = 0 WHERE id = $1", id);
    }

    /// <summary>Nobody sees what somebody wrote and nobody has seen yet, and they are not told of it.</summary>
    public static void PutAway(SqliteConnection db, string peer) => db.Execute(
        "UPDATE messages SET unread = iif(unread = 1, -1, 0), owed = 0 WHERE peer = $1 AND mine = 0 AND unread <> -1",
        peer);

    /// <summary>What was put away is there again, unread.</summary>
    public static void TakeBack(SqliteConnection db, string peer) => db.Execute(
        $"""
        UPDATE messages SET unread = 1, owed = iif({RequestTable.IsStranger("messages.peer")}, -1, 1)
        WHERE peer = $1 AND mine = 0 AND unread = -1
        """,
        peer);

    /// <summary>What a person has read after a number, and no program has printed, gets this one.</summary>
    public static void RenumberRead(SqliteConnection db, long after, long number) =>
        db.Execute("UPDATE messages SET unread = $2 WHERE unread > 1 AND unread > $1", after, number);

    /// <summary>It was printed for a program.</summary>
    public static void MarkPrinted(SqliteConnection db, string id)
    {
        MendUnread(db, id);
        db.Execute("UPDATE messages SET unread = 0 WHERE id = $1 AND unread > 0", id);
    }

    /// <summary>Applies a report on a message of ours.</summary>
    /// <returns>What it is then, and whether anything is new; null when there is no such message.</returns>
    public static (MessageProgress Progress, bool IsNew)? Advance(
        SqliteConnection db, string id, MessageReport report, IReadOnlyList<string> copies, int of, string note)
    {
        var before = db
            .Query(
                "SELECT state, copies, copies_of, reachable, note FROM messages WHERE id = $1 AND mine = 1",
                row => new MessageProgress(
                    (MessageState)Small(row, 0), Names(row.GetString(1)), Small(row, 2),
                    row.IsDBNull(3) ? null : Names(row.GetString(3)), row.GetString(4)),
                id)
            .FirstOrDefault();
        if (before is null)
            return null;
        var next = before.After(report, copies, of, note);
        var isNew = next.State != before.State || next.Of != before.Of || next.Note != before.Note
            || !next.Copies.SequenceEqual(before.Copies)
            || !(next.Reachable ?? next.Copies).SequenceEqual(before.Reachable ?? before.Copies);
        if (isNew)
            db.Execute(
                """
                UPDATE messages SET state = $2, copies = $3, copies_of = $4, reachable = $5, note = $6 WHERE id = $1
                """,
                id, (int)next.State, string.Join(',', next.Copies), next.Of,
                next.Reachable is { } names ? string.Join(',', names) : null, next.Note);
        return (next, isNew);
    }

    /// <summary>Applies a receipt of <paramref name="peer"/>.</summary>
    /// <returns>Whether the message moved forward.</returns>
    public static bool Receipt(SqliteConnection db, string id, string peer, MessageReport report, string note) =>
        db.Scalar<long>("SELECT 1 FROM messages WHERE id = $1 AND mine = 1 AND peer = $2", id, peer) == 1
        && Advance(db, id, report, [], 0, note) is { IsNew: true };

    private static string[] Names(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A row that an older version stored, or that the disk damaged, costs its own line and no
    /// other.</summary>
    private ChatMessage Read(SqliteDataReader row)
    {
        try
        {
            return ReadWhole(row);
        }
        catch (Exception cause) when (cause is InvalidCastException or InvalidOperationException or FormatException
            or OverflowException or ArgumentException)
        {
            return new ChatMessage(
                row.GetValue(0) as string ?? "", me, me, NotShowable, DateTimeOffset.UnixEpoch, MessageState.Delivered,
                [], 0, 0, "");
        }
    }

    private ChatMessage ReadWhole(SqliteDataReader row)
    {
        var (id, peer, mine) = (row.GetString(0), row.GetString(1), row.Number(2) != 0);
        var sent = row.Number(3);
        var text = row.GetValue(9) is byte[] record ? key.Open(id, record) : null;
        var isShowable = text is not null && sent is >= -ChatOrder.TimeMax and <= ChatOrder.TimeMax;
        return new ChatMessage(
            id,
            mine ? me : peer,
            mine ? peer : me,
            isShowable ? Encoding.UTF8.GetString(text!) : NotShowable,
            Time(sent),
            (MessageState)Small(row, 4),
            Names(row.GetString(5)),
            Small(row, 6),
            Small(row, 7),
            row.GetString(8))
        {
            Reachable = row.IsDBNull(10) ? null : Names(row.GetString(10)),
            Typed = mine && row.Number(11) is var typed and > 0 ? Time(typed) : null,
            IsRequest = row.Number(13) != 0,
            IsLate = row.Number(12) != 0,
            ElsewhereBefore = Small(row, 14),
        };
    }

    private static DateTimeOffset Time(long unixMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMs, -ChatOrder.TimeMax, ChatOrder.TimeMax));

    private static int Small(SqliteDataReader row, int column) =>
        (int)Math.Clamp(row.Number(column), 0, int.MaxValue);
}
