using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Storage;

/// <summary>docs/protocol.md#tile-split: what a cut does to a real file.</summary>
public sealed class TileHalvesTests : IDisposable
{
    private const int UserCount = 40;
    private static readonly TileId Tile = new(0, 0);
    private readonly TemporaryFolder _folder = new();
    private readonly DataFolder _data;
    private readonly List<DamagedRow> _named = [];
    private SqliteReplicaStore _store;

    public TileHalvesTests()
    {
        new ClusterFolder(_folder.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _data = DataFolder.Open(_folder["nodes/n1"]);
        _store = new(_data.Database.Connection, _named.Add);
        for (var user = 0; user < UserCount; user++)
        {
            _store.GetRegister(Tile, $"acct/u{user}");
            _store.PutRegister(Tile, $"acct/u{user}", Register(user));
            for (uint id = 0; id < 3; id++)
                _store.Insert(Tile, $"mbox/u{user}", new(new(id), new byte[] { (byte)user }), 1000, SetLimits.Default);
            _store.Bury(Tile, $"mbox/u{user}", new(2), 2000);
        }
    }

    public void Dispose()
    {
        _store.Dispose();
        _data.Dispose();
        _folder.Dispose();
    }

    /// <summary>An account is looked at before an entry of its key log is written.</summary>
    [Fact]
    public void A_register_counts_whatever_was_read_before_it_was_written()
    {
        var before = _store.CountRecords(Tile).Registers;
        _store.GetRegister(Tile, "keylog/u1/1");
        _store.GetRegister(Tile, "acct/u1");
        _store.PutRegister(Tile, "keylog/u1/1", Register(1));
        Assert.Equal(before + 1, _store.CountRecords(Tile).Registers);
        _store.GetRegister(Tile, "keylog/u9999/1");
        _store.PutRegister(Tile, "keylog/u1/1", Register(2));
        Assert.Equal(before + 1, _store.CountRecords(Tile).Registers);
        Restart();
        Assert.Equal(before + 1, _store.CountRecords(Tile).Registers);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Every_row_goes_where_its_name_belongs_and_stays_what_it_was(bool restarts)
    {
        var arrivals = Arrivals(_ => Tile);
        _store.SplitRows(Tile);
        if (restarts)
            Restart();
        Assert.Equal(TilePage.Empty, _store.ReadPage(Tile, default, int.MaxValue));
        foreach (var half in new[] { Tile.First, Tile.Second })
        {
            var page = _store.ReadPage(half, default, int.MaxValue);
            Assert.NotEmpty(page.Registers);
            Assert.All(page.Registers, row => Assert.True(half.Contains(RowName.PointOf(row.Key))));
            Assert.All(page.Entries, row => Assert.True(half.Contains(RowName.PointOf(row.Set))));
        }

        for (var user = 0; user < UserCount; user++)
        {
            var row = _store.GetRegister(HalfOf($"acct/u{user}"), $"acct/u{user}");
            Assert.Equal((Register(user).Promised, (byte)user), (row.Promised, row.Value.Span[0]));
            Assert.Equal(2, _store.PendingCount(HalfOf($"mbox/u{user}"), $"mbox/u{user}"));
            Assert.Equal(SetBurial.Nothing, _store.Bury(HalfOf($"mbox/u{user}"), $"mbox/u{user}", new(2), 3000));
        }

        Assert.Equal(arrivals, Arrivals(HalfOf));
        Assert.Equal(UserCount * 3, _store.CountRecords().Sum(count => count.Value));
        Assert.False(_store.CountRecords().ContainsKey(Tile));
        Assert.Empty(Scrub());
    }

    /// <summary>docs/protocol.md#tombstones.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Entries_keep_their_ages_in_the_halves_and_tombstones_are_forgotten_there(bool restarts)
    {
        _store.SplitRows(Tile);
        if (restarts)
            Restart();
        Assert.Empty(_store.ReadEntryStamps(Tile, default, 1000));
        var stamps = new[] { Tile.First, Tile.Second }
            .SelectMany(half => _store.ReadEntryStamps(half, default, 1000).Select(entry => (Half: half, Entry: entry)))
            .ToList();
        Assert.Equal(UserCount * 3, stamps.Count);
        Assert.All(stamps, stamp => Assert.Equal(HalfOf(stamp.Entry.Set), stamp.Half));
        Assert.All(stamps, stamp => Assert.Equal(
            stamp.Entry.Id == new MessageId(2) ? (true, 2000) : (false, 1000),
            (stamp.Entry.IsBuried, stamp.Entry.SinceMs)));
        foreach (var (half, entry) in stamps)
            Assert.Equal(entry.IsBuried, _store.Forget(half, entry.Set, entry.Id));
        Assert.Equal(UserCount * 2, _store.ReadEntryStamps(Tile.First, default, 1000).Count
            + _store.ReadEntryStamps(Tile.Second, default, 1000).Count);
    }

    [Theory]
    [InlineData("UPDATE registers SET value = x'63' WHERE key = 'acct/u3'", "acct/u3")]
    [InlineData("UPDATE registers SET promised = 'text' WHERE key = 'acct/u4'", "acct/u4")]
    [InlineData("UPDATE entries SET content = x'63' WHERE arrival = 1", "mbox/u0")]
    public void A_damaged_row_is_still_found_damaged_in_its_half(string change, string name)
    {
        using (var command = _data.Database.Connection.CreateCommand())
        {
            command.CommandText = change;
            command.ExecuteNonQuery();
        }

        _store.SplitRows(Tile);
        Assert.Equal([HalfOf(name)], Scrub());
    }

    [Fact]
    public void Only_a_tile_that_can_be_divided_is_large()
    {
        Assert.Equal([Tile], _store.TilesAbove(UserCount * 512));
        Assert.Empty(_store.TilesAbove(UserCount * 2000));
        _store.Insert(Tile, "mbox/full", new(new(9), new byte[1 << 20]), 1000, SetLimits.Default);
        Assert.Empty(_store.TilesAbove(1 << 20));
        Assert.Equal([Tile], _store.TilesAbove(UserCount * 512));
    }

    [Fact]
    public void A_tile_that_cannot_be_cut_any_more_is_never_large()
    {
        var narrowest = new TileId(TileId.BitsMax, 0);
        _store.Insert(narrowest, "mbox/a", new(new(9), new byte[1 << 10]), 1000, SetLimits.Default);
        Assert.Equal([Tile], _store.TilesAbove(512));
    }

    private static TileId HalfOf(string name) =>
        Tile.First.Contains(RowName.PointOf(name)) ? Tile.First : Tile.Second;

    private static RegisterRow Register(int user) =>
        new(new Ballot(3, (ulong)user + 1, default, 1), new Ballot(2, 1, default, 1), new[] { (byte)user });

    private long[] Arrivals(Func<string, TileId> tileOf) => [.. Enumerable.Range(0, UserCount).Select(user =>
        _store.Scan(tileOf($"mbox/u{user}"), $"mbox/u{user}", 0, 10, 1000).Next)];

    private void Restart()
    {
        _store.Dispose();
        _store = new(_data.Database.Connection, _named.Add);
    }

    private HashSet<TileId> Scrub()
    {
        var damaged = new HashSet<TileId>();
        for (var at = (ScrubCursor?)default(ScrubCursor); at is { } cursor;)
        {
            var (next, found) = _store.Check(cursor, 10);
            damaged.UnionWith(found);
            at = next;
        }

        return damaged;
    }
}
