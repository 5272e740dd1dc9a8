using ChordChat.Sdk.Storage;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class LocalStoreTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"chordchat-profile-{Guid.NewGuid():n}.db");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void A_profile_from_before_a_column_gets_it_and_keeps_what_it_has()
    {
        using (var older = LocalStore.Open(_file))
            older.Write(db =>
            {
                db.Execute("ALTER TABLE outbox DROP COLUMN sealed_ms");
                return db.Execute("INSERT INTO outbox (id, peer, type, content) VALUES ('a', 'bob', 0, x'00')");
            });

        using var store = LocalStore.Open(_file);
        Assert.Equal(1, store.Read(db => db.Scalar<long>("SELECT count(*) FROM outbox WHERE sealed_ms IS NULL")));
    }
}
