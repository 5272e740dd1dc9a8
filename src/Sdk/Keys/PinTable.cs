using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Keys;

/// <summary>The pins of a profile. Those of strangers make room for one another: anybody who writes to this user makes
/// one.</summary>
/// <remarks>docs/e2e.md, Pins.</remarks>
internal static class PinTable
{
    /// <summary>Strangers with whom there is no message here and whose keys nobody compared.</summary>
    public const int StrangersMax = 1_000;

    /// <summary>Their key logs, in bytes.</summary>
    public const long StrangersBytesMax = 64 << 20;

    private static readonly string IsIdle = $"""
        is_first = 1 AND {RequestTable.IsUnwritten("pins.user")}
        AND NOT EXISTS (SELECT 1 FROM messages WHERE messages.peer = pins.user)
        """;

    /// <param name="isFirst">It says no more than a first sight would: nobody compared, agreed or was warned.</param>
    /// <returns>Strangers whose pins made room.</returns>
    public static List<string> Put(SqliteConnection db, string user, byte[] value, bool isFirst)
    {
        var isNew = db.Scalar<long>("SELECT 1 FROM pins WHERE user = $1", user) != 1;
        db.Execute(
            """
            INSERT INTO pins (user, value, is_first) VALUES ($1, $2, $3)
            ON CONFLICT DO UPDATE SET value = excluded.value, is_first = excluded.is_first
            """,
            user, value, isFirst);
        return isNew ? MakeRoom(db, user) : [];
    }

    private static List<string> MakeRoom(SqliteConnection db, string but)
    {
        var strangers = db.Query(
            $"SELECT user, length(value) FROM pins WHERE {IsIdle} ORDER BY random()",
            row => (User: row.GetString(0), Bytes: row.GetInt64(1)));
        var (count, bytes) = (strangers.Count, strangers.Sum(one => one.Bytes));
        if (count <= StrangersMax && bytes <= StrangersBytesMax)
            return [];
        var forgotten = new List<string>();
        foreach (var (user, size) in strangers.Where(one => one.User != but))
        {
            if (count <= StrangersMax * 7 / 8 && bytes <= StrangersBytesMax * 7 / 8)
                break;
            db.Execute("DELETE FROM pins WHERE user = $1", user);
            forgotten.Add(user);
            count--;
            bytes -= size;
        }

        return forgotten;
    }
}
