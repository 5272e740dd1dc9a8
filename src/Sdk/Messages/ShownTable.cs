using System.Text;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Messages;

/// <summary>How far showing has come: the message in hand is the one that is being shown now, or was when the process
/// ended.</summary>
internal static class ShownTable
{
    private const string Fact = "in-hand";

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
            db.Execute(
                "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT DO UPDATE SET value = excluded.value",
                Fact, Encoding.ASCII.GetBytes(next));
    }
}
