using System.Text;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>How far showing has come: the message in hand is the one that is being shown now, or was when the process
/// ended.</summary>
internal static class ShownTable
{
    private const string Fact = "in-hand";
    private const string Readings = "readings";
    private const string Printing = "printing-since";

    /// <summary>In place of a reading's number: greater than any, so that whoever prints next prints it.</summary>
    private const long LeftOver = long.MaxValue - 1;

    /// <returns>The id of the message that may have been shown without being marked; null as a rule.</returns>
    public static string? InHand(SqliteConnection db) =>
        db.Scalar<byte[]>("SELECT value FROM facts WHERE name = $1", Fact) is { } id
            ? Encoding.ASCII.GetString(id)
            : null;

    /// <param name="shown">Marked as shown; nothing if null.</param>
    /// <param name="next">In hand from now on; nothing if null.</param>
    public static void Advance(SqliteConnection db, string? shown, string? next)
    {
        if (shown is not null)
            MessageTable.MarkPrinted(db, shown);
        if (next is null)
            db.Execute("DELETE FROM facts WHERE name = $1", Fact);
        else
            Put(db, Fact, Encoding.ASCII.GetBytes(next));
    }

    /// <summary>The number of what a person reads now; it grows, and begins at 2.</summary>
    public static long NextReading(SqliteConnection db)
    {
        var next = (Number(db, Readings) ?? 1) + 1;
        Put(db, Readings, BitConverter.GetBytes(next));
        return next;
    }

    /// <returns>What has been read after this number is to be printed: the last reading now, or when a program that did
    /// not come to its end began.</returns>
    public static long BeginPrinting(SqliteConnection db)
    {
        var since = Number(db, Printing) ?? Number(db, Readings) ?? 1;
        Put(db, Printing, BitConverter.GetBytes(since));
        return since;
    }

    public static void EndPrinting(SqliteConnection db, long since)
    {
        MessageTable.RenumberRead(db, since, LeftOver);
        db.Execute("DELETE FROM facts WHERE name = $1", Printing);
    }

    private static long? Number(SqliteConnection db, string fact) =>
        db.Scalar<byte[]>("SELECT value FROM facts WHERE name = $1", fact) is { Length: 8 } bytes
            ? BitConverter.ToInt64(bytes)
            : null;

    private static void Put(SqliteConnection db, string fact, byte[] value) => db.Execute(
        "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT DO UPDATE SET value = excluded.value",
        fact, value);
}
