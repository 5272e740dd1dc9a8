using ChordChat.Sdk;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Order (a gap has an end): what goes on beside the session goes on after a failure of the
/// disk.</summary>
public sealed class BrokenProfileTests : IAsyncLifetime, IDisposable
{
    private readonly FakeCluster _cluster = new();
    private FakeNode _node = null!;

    public async Task InitializeAsync() => _node = await _cluster.AddNodeAsync("n1");

    public Task DisposeAsync() => _node.DisposeAsync().AsTask();

    public void Dispose() => _cluster.Dispose();

    [Fact]
    public async Task A_client_that_could_not_read_what_another_one_stored_says_so_and_shows_it_later()
    {
        await using var writes = await Person.RegisterAsync("alice", _node);
        using var lease = new SessionLease(writes.Folder);
        Assert.True(lease.TryTake()); // Somebody else has the session.
        await using var reads = Person.Open(writes.Folder, _node);
        using var disk = new SqliteConnection($"Data Source={Path.Combine(writes.Folder, "profile.db")};Pooling=False");
        disk.Open();
        disk.Execute("ALTER TABLE messages RENAME TO away");
        reads.Client.Start();
        disk.Execute("CREATE TABLE stir (x)");
        await reads.SeeAsync<ClientEvent.Notice>(notice => notice.Text.Contains("no such table"));
        disk.Execute("ALTER TABLE away RENAME TO messages");
        writes.Client.Send("bob", "hello");
        Assert.Equal("hello", (await reads.SeeAsync<ClientEvent.SentBeside>()).Message.Text);
    }
}
