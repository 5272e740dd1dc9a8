using ChordChat.Sdk.Messages;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Storage;

/// <summary>Replaces ids that the disk damaged when a profile is opened, so that whoever reads rows need not ask
/// whether an id is one.</summary>
/// <remarks>docs/e2e.md, Order. A message with a new id keeps its line, marked or shown like any other; its text, which
/// was sealed under the old one, cannot be had.</remarks>
internal static class DamagedIds
{
    private const string IsDamaged = "typeof(id) <> 'text' OR length(id) <> 32 OR id GLOB '*[^0-9a-f]*'";

    /// <summary>A sealed message names its id: docs/e2e.md, Direct envelope.</summary>
    private const string IsOfAnother = "(envelope IS NOT NULL AND lower(hex(substr(envelope, 54, 16))) <> id)";

    private const string New = "id = lower(hex(randomblob(16)))";

    public static void Replace(SqliteConnection db)
    {
        If(db, "messages", $"UPDATE messages SET {New}, owed = 0 WHERE {IsDamaged}");
        If(db, "heard", $"UPDATE heard SET {New} WHERE {IsDamaged}");
        // Nothing of ours goes out under another id than the one it was stored or sealed under.
        if (db.Execute($"DELETE FROM outbox WHERE {IsDamaged} OR {IsOfAnother}") > 0)
            Outbox.RefuseLost(db);
        // These come again from the mailbox.
        db.Execute($"DELETE FROM doubted WHERE {IsDamaged}");
        db.Execute(
            $"DELETE FROM unjudged WHERE {IsDamaged} OR typeof(entry) <> 'blob' OR length(entry) <> 32");
    }

    /// <summary>Looking takes an index; changing would read the whole table.</summary>
    private static void If(SqliteConnection db, string table, string change)
    {
        if (db.Scalar<long>($"SELECT 1 FROM {table} WHERE {IsDamaged} LIMIT 1") == 1)
            db.Execute(change);
    }
}
