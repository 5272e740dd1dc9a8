using ChordChat.Crypto;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Storage;

/// <summary>Statements in one line: parameters are <c>$1</c>, <c>$2</c>, ... in the order given.</summary>
internal static class Sql
{
    private const int IndexDamage = 779; // SQLITE_CORRUPT_INDEX

    public static int Execute(this SqliteConnection connection, string sql, params object?[] values)
    {
        return WithWholeIndexes(connection, () =>
        {
            using var command = Prepare(connection, sql, values);
            return command.ExecuteNonQuery();
        });
    }

    public static List<T> Query<T>(
        this SqliteConnection connection, string sql, Func<SqliteDataReader, T> read, params object?[] values)
    {
        return WithWholeIndexes(connection, () =>
        {
            using var command = Prepare(connection, sql, values);
            using var reader = command.ExecuteReader();
            var rows = new List<T>();
            while (reader.Read())
                rows.Add(read(reader));
            return rows;
        });
    }

    public static T? Scalar<T>(this SqliteConnection connection, string sql, params object?[] values)
    {
        return WithWholeIndexes(connection, () =>
        {
            using var command = Prepare(connection, sql, values);
            return command.ExecuteScalar() is T value ? value : default;
        });
    }

    /// <summary>0 for what is none: one flipped bit makes nothing, or an empty text, out of a 0 or a 1.</summary>
    /// <remarks>docs/e2e.md, Damage.</remarks>
    public static long Number(this SqliteDataReader reader, int column) =>
        reader.GetValue(column) is long number ? number : 0;

    public static byte[] Blob(this SqliteDataReader reader, int column) => (byte[])reader.GetValue(column);

    /// <summary>Zero for bytes that are none.</summary>
    public static Digest DigestOrZero(this SqliteDataReader reader, int column) =>
        reader.GetValue(column) is byte[] { Length: Digest.Bytes } bytes ? Digest.FromBytes(bytes) : default;

    /// <summary>Runs a statement. If a row that it changes is not in an index of its table as it should be, the disk
    /// damaged one of them: indexes are made anew from the rows.</summary>
    /// <remarks>docs/e2e.md, Damage.</remarks>
    private static T WithWholeIndexes<T>(SqliteConnection connection, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (SqliteException cause) when (cause.SqliteExtendedErrorCode == IndexDamage)
        {
            using var command = Prepare(connection, "REINDEX", []);
            command.ExecuteNonQuery();
            return run();
        }
    }

    private static SqliteCommand Prepare(SqliteConnection connection, string sql, object?[] values)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // Every caller passes a constant; values travel as parameters.
        command.CommandText = sql;
#pragma warning restore CA2100
        for (var i = 0; i < values.Length; i++)
            command.Parameters.AddWithValue($"${i + 1}", values[i] ?? DBNull.Value);
        return command;
    }
}
