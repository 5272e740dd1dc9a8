using ChordChat.Crypto;
using ChordChat.Sdk.Messages;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Storage;

/// <summary>Replaces ids and names that the disk damaged when a profile is opened, so that whoever reads rows need not
/// ask whether an id or a name is one.</summary>
/// <remarks>docs/e2e.md, Damage. A message with a new id keeps its line, marked or shown like any other; its text,
/// which was sealed under the old one, cannot be had.</remarks>
internal static class DamagedKeys
{
    /// <summary>In place of a name that is lost; nobody can have it.</summary>
    public const string NoName = "?";

    private const string IsDamaged =
        "typeof(id) <> 'text' OR length(CAST(id AS BLOB)) <> 32 OR length(id) <> 32 OR id GLOB '*[^0-9a-f]*'";

    /// <summary>A sealed message names its id: docs/e2e.md, Direct envelope.</summary>
    private const string IsOfAnother = "(envelope IS NOT NULL AND lower(hex(substr(envelope, 54, 16))) <> id)";

    /// <summary>Texts (1) are in the history as well, receipts (3) are not: one bit makes one of the other.</summary>
    private const string IsOfOtherType =
        "(type IN (1, 3) AND (type = 1) <> EXISTS (SELECT 1 FROM messages WHERE messages.id = outbox.id))";

    /// <summary>Only what is sealed goes out without its type.</summary>
    private const string IsOfNoType = "(envelope IS NULL AND type IS NOT 1 AND type IS NOT 3)";

    /// <summary>Whether a text waits for its sender's word; if it neither waits for a node nor is at one, it
    /// does.</summary>
    private const string IsUnsent =
        "EXISTS (SELECT 1 FROM messages "
        + "WHERE messages.id = outbox.id AND typeof(state) = 'integer' AND state NOT IN (0, 1))";

    private const string New = "id = lower(hex(randomblob(16)))";

    /// <summary>All of it or nothing: whoever opens the profile next sees only what is still damaged.</summary>
    public static void Replace(SqliteConnection db)
    {
        db.Execute("BEGIN IMMEDIATE");
        ReplaceAll(db);
        db.Execute("COMMIT"); // Whoever catches an error closes the file, which takes everything back.
    }

    private static void ReplaceAll(SqliteConnection db)
    {
        ReplaceNames(db);
        If(db, "messages", $"UPDATE messages SET {New}, owed = 0 WHERE {IsDamaged}");
        If(db, "heard", $"UPDATE heard SET {New} WHERE {IsDamaged}");
        // Nothing of ours goes out under another id than the one it was stored or sealed under.
        var lost = db.Execute(
            $"""
            DELETE FROM outbox
            WHERE peer = '{NoName}' OR {IsDamaged} OR {IsOfAnother} OR {IsOfOtherType} OR {IsOfNoType}
            """);
        if (lost > 0)
            Outbox.RefuseLost(db);
        db.Execute($"UPDATE outbox SET parked = {IsUnsent} WHERE parked IS NOT {IsUnsent}");
        // These come again from the mailbox.
        db.Execute($"DELETE FROM doubted WHERE {IsDamaged}");
        db.Execute(
            $"""
            DELETE FROM unjudged
            WHERE {IsDamaged} OR {IsNoName("peer")} OR typeof(entry) <> 'blob' OR length(entry) <> 32
            """);
    }

    /// <summary>Looking takes an index; changing would read the whole table.</summary>
    private static void If(SqliteConnection db, string table, string change)
    {
        if (db.Scalar<long>($"SELECT 1 FROM {table} WHERE {IsDamaged} LIMIT 1") == 1)
            db.Execute(change);
    }

    /// <summary>What two tables have is taken from the one that still has it.</summary>
    private static void ReplaceNames(SqliteConnection db)
    {
        var lost = db.Execute(
            $"""
            UPDATE messages SET peer = coalesce(
                {NameIn("heard", "messages")}, {NameIn("outbox", "messages")}, '{NoName}')
            WHERE peer IN ({DamagedIn("messages")})
            """);
        if (lost > 0)
            db.Execute(
                """
                UPDATE messages SET owed = 0, rank = coalesce(rank, (SELECT coalesce(max(rank), 0) + 1 FROM messages))
                WHERE peer = $1
                """,
                NoName);
        lost = db.Execute(
            $"""
            UPDATE heard SET peer = coalesce({NameIn("messages", "heard")}, '{NoName}')
            WHERE peer IN ({DamagedIn("heard")})
            """);
        if (lost > 0)
            db.Execute("DELETE FROM heard WHERE peer = $1", NoName);
        db.Execute(
            $"""
            UPDATE outbox SET peer = coalesce({NameIn("messages", "outbox")}, '{NoName}') WHERE {IsNoName("peer")}
            """);
        db.Execute($"DELETE FROM chains WHERE {IsNoName("peer")}");
        db.Execute($"DELETE FROM circle WHERE {IsNoName("user")}");
    }

    /// <summary>SQL: the name that another table has for a message.</summary>
    private static string NameIn(string table, string of) =>
        $"(SELECT o.peer FROM {table} o WHERE o.id = {of}.id AND NOT ({IsNoName("o.peer")}))";

    /// <summary>SQL: the damaged names of a table with many rows of each. One step in an index for each name.</summary>
    private static string DamagedIn(string table) => $"""
        WITH RECURSIVE names (name) AS (
            SELECT min(peer) FROM {table}
            UNION ALL SELECT (SELECT min(peer) FROM {table} WHERE peer > name) FROM names WHERE name IS NOT NULL)
        SELECT name FROM names WHERE name <> '{NoName}' AND ({IsNoName("name")})
        """;

    /// <summary>SQL: whether this is none that <see cref="UserName"/> allows.</summary>
    private static string IsNoName(string column) => $"""
        typeof({column}) <> 'text' OR length(CAST({column} AS BLOB)) NOT BETWEEN 1 AND {UserName.LengthMax}
        OR length({column}) <> length(CAST({column} AS BLOB))
        OR {column} GLOB '*[^0-9a-z_.-]*' OR {column} GLOB '[_.-]*'
        """;
}
