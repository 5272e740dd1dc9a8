using ChordChat.Crypto;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Storage;

/// <summary>Statements in one line: parameters are <c>$1</c>, <c>$2</c>, ... in the order given.</summary>
internal static class Sql
{
    public static int Execute(this SqliteConnection connection, string sql, params object?[] values)
    {
        using var command = Prepare(connection, sql, values);
        return command.ExecuteNonQuery();
    }

    public static List<T> Query<T>(
        this SqliteConnection connection, string sql, Func<SqliteDataReader, T> read, params object?[] values)
    {
        using var command = Prepare(connection, sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    public static T? Scalar<T>(this SqliteConnection connection, string sql, params object?[] values)
    {
        using var command = Prepare(connection, sql, values);
        return command.ExecuteScalar() is T value ? value : default;
    }

    public static byte[] Blob(this SqliteDataReader reader, int column) => (byte[])reader.GetValue(column);

    /// <summary>Zero for bytes that are none.</summary>
    public static Digest DigestOrZero(this SqliteDataReader reader, int column) =>
        reader.GetValue(column) is byte[] { Length: Digest.Bytes } bytes ? Digest.FromBytes(bytes) : default;

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
