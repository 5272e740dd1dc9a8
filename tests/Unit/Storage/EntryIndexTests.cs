using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Storage;

/// <summary>docs/decisions/0003-an-index-written-behind.md: whether an entry was merged into the index already makes no
/// difference to anybody.</summary>
public sealed class EntryIndexTests : IDisposable
{
    private const string Set = "mbox/bob";
    private static readonly TileId Tile = new(0, 0);
    private readonly TemporaryFolder _folder = new();
    private readonly DataFolder _data;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private SqliteReplicaStore _store;

    public EntryIndexTests()
    {
        new ClusterFolder(_folder.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _data = DataFolder.Open(_folder["nodes/n1"]);
        _begin = new(_data.Database.Connection, "BEGIN", 0);
        _commit = new(_data.Database.Connection, "COMMIT", 0);
        _store = Open();
        _begin.Run();
    }

    public void Dispose()
    {
        _commit.Run();
        _begin.Dispose();
        _commit.Dispose();
        _store.Dispose();
        _data.Dispose();
        _folder.Dispose();
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Whatever_is_done_in_whatever_order_it_is_what_a_plain_list_would_hold(int seed)
    {
        var random = new Random(seed);
        var model = new EntryModel();
        for (var step = 0; step < 3_000; step++)
        {
            var (set, id) = ($"mbox/u{random.Next(3)}", new MessageId((UInt128)random.Next(40)));
            switch (random.Next(100))
            {
                case < 45:
                    var content = new[] { (byte)random.Next(256) };
                    Assert.Equal(
                        model.Insert(set, id, content, step),
                        _store.Insert(Tile, set, new(id, content), step, SetLimits.Default));
                    break;
                case < 75:
                    Assert.Equal(model.Bury(set, id, step), _store.Bury(Tile, set, id, step));
                    break;
                case < 85:
                    Assert.Equal(model.Forget(set, id), _store.Forget(Tile, set, id));
                    break;
                case < 97:
                    Assert.Equal(model.Get(set, id), Described(_store.GetEntry(Tile, set, id)));
                    break;
                case 97:
                    _store.Scan(Tile, set, 0, 10, 1_000); // Merges.
                    break;
                case 98:
                    Restart();
                    break;
                default:
                    Compare(model);
                    break;
            }
        }

        Compare(model);
        Assert.Empty(_store.Check(new ScrubCursor(0, null, Arrival: 0), int.MaxValue).Damaged);
    }

    [Fact]
    public void More_than_wait_in_memory_are_all_there_once_and_in_order()
    {
        const int Count = 10_000;
        for (var i = 0; i < Count; i++)
            Assert.Equal(SetInsertResult.Added, Insert(Mixed(i)).Result);
        for (var i = 0; i < Count; i += 97)
            Assert.Equal(new SetInsert(SetInsertResult.Present, i + 1), Insert(Mixed(i)));
        Restart();
        for (var i = 0; i < Count; i += 101)
            Assert.Equal(new SetInsert(SetInsertResult.Present, i + 1), Insert(Mixed(i)));
        var found = _store.Scan(Tile, Set, 0, Count + 1, int.MaxValue);
        Assert.Equal(Enumerable.Range(0, Count).Select(i => Mixed(i)), found.Messages.Select(message => message.Id));
        Assert.Equal(Count, _store.PendingCount(Tile, Set));
    }

    [Fact]
    public void An_arrival_is_never_given_out_again()
    {
        Insert(new(1));
        Assert.Equal(2, Insert(new(2)).Arrival);
        _store.Bury(Tile, Set, new(2), 1);
        Assert.True(_store.Forget(Tile, Set, new(2)));
        Restart();
        Assert.Equal(3, Insert(new(3)).Arrival);
        _store.DropRows(Tile);
        Restart();
        Assert.Equal(4, Insert(new(4)).Arrival);
    }

    private void Compare(EntryModel model)
    {
        foreach (var set in model.Sets)
        {
            Assert.Equal(
                model.Live(set), _store.Scan(Tile, set, 0, 1_000, int.MaxValue).Messages.Select(message => message.Id));
            Assert.Equal(model.Live(set).Count(), _store.PendingCount(Tile, set));
        }

        Assert.Equal(model.All, _store.ReadPage(Tile, default, int.MaxValue).Entries.Select(entry => Described(entry)));
        Assert.Equal(
            model.All.Select(entry => (entry!.Value.Set, entry.Value.Id, entry.Value.Content is null)),
            _store.ReadEntryStamps(Tile, new(Entries: true, null, default), 1_000)
                .Select(stamp => (stamp.Set, stamp.Id, stamp.IsBuried)));
    }

    private SetInsert Insert(MessageId id) => _store.Insert(Tile, Set, new(id, new byte[] { 1 }), 0, SetLimits.Default);

    /// <summary>Ids without any order.</summary>
    private static MessageId Mixed(int i) => new((UInt128)(uint)(i * 2_654_435_761));

    private static (string Set, MessageId Id, byte? Content, long Since)? Described(TransferredEntry? read) =>
        read is { } entry
            ? (entry.Set, entry.Id, entry.Content?.Span[0], entry.SinceMs)
            : null;

    private void Restart()
    {
        _commit.Run();
        _store.Dispose();
        _store = Open();
        _begin.Run();
    }

    private SqliteReplicaStore Open() =>
        new(_data.Database.Connection, row => Assert.Fail($"{row} is damaged"));
}
