using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace ChordChat.Node.Storage;

/// <summary>One prepared SQL statement with numbered parameters ?1, ?2, ...; for one thread.</summary>
/// <remarks>What only writes goes past the provider's commands and readers: they look each parameter up by its name and
/// take several times as long as SQLite does to add a row.</remarks>
internal sealed class Statement(SqliteConnection connection, string sql, int parameterCount) : IDisposable
{
    private SqliteCommand? _reading;
    private sqlite3_stmt? _writing;

    /// <summary>Runs it with these values and returns how many rows it changed.</summary>
    /// <exception cref="SqliteException">It failed; the transaction is the caller's to end.</exception>
    public int Run(params ReadOnlySpan<object?> values)
    {
        var database = connection.Handle!;
        if (_writing is null)
            SqliteException.ThrowExceptionForRC(
                raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _writing), database);
        for (var i = 0; i < values.Length; i++)
            SqliteException.ThrowExceptionForRC(Bind(_writing!, i + 1, values[i]), database);
        int result;
        do
            result = raw.sqlite3_step(_writing);
        while (result == raw.SQLITE_ROW);
        raw.sqlite3_reset(_writing);
        if (result != raw.SQLITE_DONE)
            SqliteException.ThrowExceptionForRC(result, database);
        return raw.sqlite3_changes(database);
    }

    /// <summary>Runs it with these values; the caller disposes the reader before the statement is used again.</summary>
    public SqliteDataReader Read(params ReadOnlySpan<object?> values)
    {
        _reading ??= Command();
        for (var i = 0; i < values.Length; i++)
            _reading.Parameters[i].Value = values[i] ?? DBNull.Value;
        return _reading.ExecuteReader();
    }

    public void Dispose()
    {
        _reading?.Dispose();
        _writing?.Dispose();
    }

    private SqliteCommand Command()
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 1; i <= parameterCount; i++)
            command.Parameters.Add(new SqliteParameter($"?{i}", null));
        return command;
    }

    private static int Bind(sqlite3_stmt statement, int index, object? value) => value switch
    {
        null => raw.sqlite3_bind_null(statement, index),
        long number => raw.sqlite3_bind_int64(statement, index, number),
        byte[] bytes => raw.sqlite3_bind_blob(statement, index, bytes),
        string text => raw.sqlite3_bind_text(statement, index, text),
        _ => throw new ArgumentException($"no value of type {value.GetType()} is kept in a database"),
    };
}
