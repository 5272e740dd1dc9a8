using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Damage: ids and names are replaced when the profile is opened, all of them or none.</summary>
public sealed class DamagedKeysTests : IDisposable
{
    private const string Id = "00000000000000000000000000000001";

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"chordchat-{Guid.NewGuid():n}.db");

    public void Dispose()
    {
        foreach (var end in (string[])["", "-wal", "-shm"])
            File.Delete(_file + end);
    }

    /// <summary>The message was held back.</summary>
    [Fact]
    public void A_program_that_ends_while_it_replaces_a_name_leaves_no_message_hidden()
    {
        Store(
            "INSERT INTO messages (id, peer, mine, epoch, seq, sent_ms, state, rank, unread, text) "
            + "VALUES ($1, CAST(x'62FF62' AS TEXT), 0, 1, 2, 0, 3, NULL, 1, x'01')");
        EndsBeforeAnyChangeOf("rank");
        using var store = LocalStore.Open(_file);
        Assert.Equal(
            1, store.Read(db => db.Scalar<long>("SELECT count(*) FROM messages WHERE peer = '?' AND rank > 0")));
    }

    [Fact]
    public void A_program_that_ends_while_it_empties_the_outbox_leaves_no_message_waiting_for_ever()
    {
        Store(
            "INSERT INTO messages (id, peer, mine, epoch, seq, sent_ms, state, rank, unread, text) "
            + "VALUES ($1, 'bob', 1, 0, 0, 0, 0, 1, 0, x'01')",
            "INSERT INTO outbox (id, peer, type, content) VALUES (replace($1, '1', 'x'), 'bob', 1, x'01')");
        EndsBeforeAnyChangeOf("state");
        using var store = LocalStore.Open(_file);
        Assert.Equal(
            (long)MessageState.Refused, store.Read(db => db.Scalar<long>("SELECT state FROM messages")));
    }

    private void Store(params string[] rows)
    {
        using var store = LocalStore.Open(_file);
        store.Write(db =>
        {
            foreach (var row in rows)
                db.Execute(row, Id);
        });
    }

    /// <summary>Opens the profile, but the end comes just before a column of a message is changed.</summary>
    private void EndsBeforeAnyChangeOf(string column)
    {
        Change(
            $"CREATE TRIGGER the_end BEFORE UPDATE OF {column} ON messages BEGIN SELECT RAISE(ABORT, 'the end'); END");
        Assert.Throws<ChordChatException>(() => LocalStore.Open(_file).Dispose());
        Change("DROP TRIGGER the_end");
    }

    private void Change(string sql)
    {
        using var db = new SqliteConnection($"Data Source={_file};Pooling=False");
        db.Open();
        db.Execute(sql);
    }
}
