using ChordChat.Sdk;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class LocalStoreTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"chordchat-profile-{Guid.NewGuid():n}.db");

    public void Dispose() => File.Delete(_file);

    /// <summary>It may have been stopped (Ctrl-Z) while it wrote.</summary>
    [Fact]
    public void While_another_program_holds_the_file_a_write_says_so_and_the_next_one_works()
    {
        using var store = LocalStore.Open(_file);
        using (var other = new SqliteConnection($"Data Source={_file};Pooling=False"))
        {
            other.Open();
            other.Execute("BEGIN IMMEDIATE");
            var busy = Assert.Throws<ChordChatException>(() => store.Write(db => db.Execute("SELECT 1")));
            Assert.Equal("profile_busy", busy.Code);
        }

        store.Write(db => db.Execute("SELECT 1"));
    }

    [Fact]
    public void A_profile_from_before_a_column_gets_it_and_keeps_what_it_has()
    {
        using (var older = LocalStore.Open(_file))
            older.Write(db =>
            {
                db.Execute("DROP INDEX messages_by_place");
                db.Execute("ALTER TABLE outbox DROP COLUMN sealed_ms");
                db.Execute("ALTER TABLE messages DROP COLUMN place");
                db.Execute("ALTER TABLE messages DROP COLUMN heard");
                db.Execute("ALTER TABLE messages DROP COLUMN to_epoch");
                db.Execute(
                    """
                    INSERT INTO outbox (id, peer, type, content)
                    VALUES ('00000000000000000000000000000001', 'bob', 1, x'00')
                    """);
                db.Execute(
                    """
                    INSERT INTO messages (id, peer, mine, epoch, seq, sent_ms, state, unread, text)
                    VALUES ('00000000000000000000000000000001', 'bob', 1, 1, 1, 77, 0, 0, x'00')
                    """);
            });

        using var store = LocalStore.Open(_file);
        Assert.Equal(1, store.Read(db => db.Scalar<long>("SELECT count(*) FROM outbox WHERE sealed_ms IS NULL")));
        Assert.Equal(77, store.Read(db => db.Scalar<long>("SELECT max(place) FROM messages")));
    }
}
