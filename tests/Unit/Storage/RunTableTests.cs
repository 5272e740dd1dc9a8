using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Storage;

/// <summary>docs/protocol.md#copied-and-restored-disks: what a disk counts.</summary>
public sealed class RunTableTests : IDisposable
{
    private const string Mailbox = "mbox/bob";
    private static readonly TileId Tile = new(7, 0x5a);
    private readonly TemporaryFolder _folder = new();
    private Host _host;

    public RunTableTests()
    {
        new ClusterFolder(_folder.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _host = new(_folder["nodes/n1"]);
        _host.Commit(store => store.PutHeader(new(new(Tile, 0, 1, [new NodeId(1, 2)]), TilePhase.Active)));
    }

    public void Dispose()
    {
        _host.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Every_commit_that_writes_is_counted_and_no_other()
    {
        Grows(Add(1));
        Grows(store => store.Bury(Tile, Mailbox, new(1), 2000));
        Grows(store => store.Bury(Tile, Mailbox, new(2), 2000));
        Grows(store => store.Forget(Tile, Mailbox, new(1)));
        Grows(store => store.PutRegister(Tile, "acct/bob", new(default, new(1, 1, default, 1), new byte[] { 7 })));
        Stays(store => store.Bury(Tile, Mailbox, new(2), 2000));
        Stays(store => store.Scan(Tile, Mailbox, 0, 9, 99));
    }

    [Fact]
    public void A_start_finds_all_that_was_counted()
    {
        StartsWithAll();
        _host.Commit(Add(1));
        StartsWithAll();
        _host.Commit(store => store.Bury(Tile, Mailbox, new(1), 2000));
        _host.Commit(store => store.Forget(Tile, Mailbox, new(1)));
        StartsWithAll();
        _host.Commit(store =>
        {
            Add(2)(store);
            store.DropRows(Tile);
        });
        StartsWithAll();
    }

    private static Action<SqliteReplicaStore> Add(ulong id) => store =>
        store.Insert(Tile, Mailbox, new(new(id), new byte[] { 1, 2, 3 }), 1000, SetLimits.Default);

    private void Grows(Action<SqliteReplicaStore> write)
    {
        var before = _host.Runs.DurableSeq;
        _host.Commit(write);
        Assert.True(_host.Runs.DurableSeq > before);
    }

    private void Stays(Action<SqliteReplicaStore> read)
    {
        var before = _host.Runs.DurableSeq;
        _host.Commit(read);
        Assert.Equal(before, _host.Runs.DurableSeq);
    }

    private void StartsWithAll()
    {
        var counted = _host.Runs.DurableSeq;
        _host.Dispose();
        _host = new(_folder["nodes/n1"]);
        Assert.Equal(counted, _host.Runs.Now.Found);
        Assert.Equal(counted, _host.Runs.DurableSeq);
    }

    /// <summary>A node's database between two starts, written as its writer does.</summary>
    private sealed class Host : IDisposable
    {
        private readonly DataFolder _data;
        private readonly SqliteReplicaStore _store;

        public Host(string path)
        {
            _data = DataFolder.Open(path);
            Runs = _data.Database.Start();
            _store = new(_data.Database.Connection, _ => { });
        }

        public RunTable Runs { get; }

        public void Commit(Action<SqliteReplicaStore> work)
        {
            using var begin = new Statement(_data.Database.Connection, "BEGIN", 0);
            using var commit = new Statement(_data.Database.Connection, "COMMIT", 0);
            begin.Run();
            work(_store);
            Runs.CountIfChanged(_store.LastArrival);
            commit.Run();
            Runs.Committed();
        }

        public void Dispose()
        {
            _store.Dispose();
            _data.Dispose();
        }
    }
}
