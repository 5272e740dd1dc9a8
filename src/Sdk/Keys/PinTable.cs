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

    /// <summary>A record begins with a salt of its own (docs/e2e.md, Local records), so its first bytes tell whether
    /// it is still the same.</summary>
    private const int TagBytes = 37;

    public static byte[] TagOf(byte[] record) => record[..Math.Min(TagBytes, record.Length)];

    /// <returns>Null when there is no record.</returns>
    public static byte[]? TagOf(SqliteConnection db, string user) =>
        db.Scalar<byte[]>($"SELECT substr(value, 1, {TagBytes}) FROM pins WHERE user = $1", user);

    public static bool IsSame(byte[]? one, byte[]? other) =>
        one is null || other is null ? one == other : one.AsSpan().SequenceEqual(other);

    public static byte[]? Get(SqliteConnection db, string user) =>
        db.Scalar<byte[]>("SELECT value FROM pins WHERE user = $1", user);

    /// <summary>Stores a pin in place of the one that it was made from.</summary>
    /// <param name="over">The tag of that one; null for none.</param>
    /// <param name="isFirst">It says no more than a first sight would. Somebody who was once compared, agreed to or
    /// warned of counts as such for good.</param>
    /// <returns>Strangers whose pins made room; null if another pin is stored by now; then nothing was changed.
    /// </returns>
    public static List<string>? TryPut(SqliteConnection db, string user, byte[]? over, byte[] value, bool isFirst)
    {
        if (!IsSame(TagOf(db, user), over))
            return null;
        db.Execute(
            """
            INSERT INTO pins (user, value, is_first) VALUES ($1, $2, $3)
            ON CONFLICT DO UPDATE SET
                value = excluded.value, is_first = coalesce(pins.is_first, 0) AND excluded.is_first
            """,
            user, value, isFirst);
        return MakeRoom(db, user); // A log that has grown counts, too: a node shows as long a one as it likes.
    }

    private static List<string> MakeRoom(SqliteConnection db, string but)
    {
        var strangers = db.Query(
            $"SELECT user, length(value) FROM pins WHERE {IsIdle} ORDER BY random()",
            row => (User: row.GetString(0), Bytes: row.Number(1)));
        var (count, bytes) = (strangers.Count, strangers.Sum(one => one.Bytes));
        if (count <= StrangersMax && bytes <= StrangersBytesMax)
            return [];
        var forgotten = new List<string>();
        foreach (var (user, size) in strangers.Where(one => one.User != but))
        {
            if (count <= StrangersMax * 7 / 8 && bytes <= StrangersBytesMax * 7 / 8)
                break;
            if (db.Execute("DELETE FROM pins WHERE user = $1", user) == 0)
                continue; // The disk damaged the name.
            forgotten.Add(user);
            count--;
            bytes -= size;
        }

        return forgotten;
    }
}
