using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Storage;

/// <summary>docs/protocol.md#scrub: what a real file shows of a changed row.</summary>
public sealed class DamagedRowTests : IDisposable
{
    private static readonly TileId Tile = new(7, 0x5a);
    private readonly TemporaryFolder _folder = new();
    private readonly DataFolder _data;
    private readonly List<DamagedRow> _named = [];
    private readonly SqliteReplicaStore _store;

    public DamagedRowTests()
    {
        new ClusterFolder(_folder.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        _data = DataFolder.Open(_folder["nodes/n1"]);
        _store = new(_data.Database.Connection, _named.Add);
        _store.PutHeader(new(new(Tile, 0, 1, [new NodeId(1, 2)]), TilePhase.Active));
        for (var i = 0; i < 5; i++)
        {
            _store.GetRegister(Tile, $"acct/user{i}");
            _store.PutRegister(Tile, $"acct/user{i}", new(default, new(1, (ulong)i + 1, default, 1), new byte[] { 7 }));
            _store.Insert(Tile, "mbox/bob", new(new((UInt128)i), new byte[] { 1, 2, 3 }), 1000, SetLimits.Default);
        }

        _store.Bury(Tile, "mbox/bob", new(4), 2000);
    }

    public void Dispose()
    {
        _store.Dispose();
        _data.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void What_was_written_is_sound() => Assert.Empty(Scrub());

    [Theory]
    [InlineData("UPDATE registers SET value = x'06' WHERE key = 'acct/user3'", "registers", "acct")]
    [InlineData("UPDATE registers SET promised = x'01' WHERE key = 'acct/user3'", "registers", "acct")]
    [InlineData("UPDATE registers SET crc = crc + 1 WHERE key = 'acct/user3'", "registers", "acct")]
    [InlineData("UPDATE entries SET content = x'010203ff' WHERE arrival = 2", "entries", "mbox")]
    [InlineData("UPDATE entries SET since = since + 1 WHERE arrival = 2", "entries", "mbox")]
    [InlineData("UPDATE entries SET content = x'01' WHERE arrival = 5", "entries", "mbox")]
    [InlineData("UPDATE entries SET id = x'00' WHERE arrival = 2", "entries", "mbox")]
    public void A_changed_row_is_found_and_named_without_its_name(string change, string table, string kind)
    {
        Change(change);
        Assert.Equal([Tile], Scrub());
        Assert.Equal([new DamagedRow(table, Tile, kind)], _named);
    }

    [Theory]
    [InlineData("DELETE FROM entry_ids WHERE arrival = 2")]
    [InlineData("UPDATE entry_ids SET id = x'00' WHERE arrival = 2")]
    [InlineData("UPDATE entry_ids SET arrival = 3 WHERE arrival = 2")]
    [InlineData("DELETE FROM entries_live WHERE arrival = 2")]
    [InlineData("INSERT INTO entries_live SELECT set_number, 5 FROM entries WHERE arrival = 5")]
    public void An_index_that_does_not_name_a_row_as_it_is_is_found(string change)
    {
        _store.Scan(Tile, "mbox/bob", 0, 9, 99); // Brings the index up to date.
        Change(change);
        Assert.Equal([Tile], Scrub());
        Assert.Equal([new DamagedRow("entries", Tile, "mbox")], _named);
    }

    [Theory]
    [InlineData("DELETE FROM entry_ids WHERE arrival = 2")]
    [InlineData("DELETE FROM entry_ids WHERE arrival = 5")]
    public void A_row_that_the_index_does_not_name_goes_with_the_next_scrub_after_its_tile(string change)
    {
        _store.Scan(Tile, "mbox/bob", 0, 9, 99);
        Change(change);
        Assert.Equal([Tile], Scrub());
        _store.DropRows(Tile);
        _store.Insert(Tile, "mbox/bob", new(new(9), new byte[] { 9 }), 3000, SetLimits.Default);
        Assert.Equal(2, Number("SELECT COUNT(*) FROM entries"));

        Assert.Empty(Scrub());
        Assert.Equal(1, Number("SELECT COUNT(*) FROM entries"));
        Assert.Equal(0, Number("SELECT COUNT(*) FROM dropped_sets"));
        Assert.Equal(new MessageId(9), Assert.Single(_store.Scan(Tile, "mbox/bob", 0, 9, 99).Messages).Id);
    }

    [Fact]
    public void A_row_that_was_not_dropped_with_its_set_is_not_deleted()
    {
        _store.DropRows(Tile);
        _store.Insert(Tile, "mbox/carol", new(new(9), new byte[] { 9 }), 3000, SetLimits.Default);
        Change("UPDATE entries SET set_number = (SELECT number FROM dropped_sets)");
        Assert.Throws<DamagedRowException>(() => Scrub());
    }

    [Fact]
    public void A_row_that_only_the_index_knows_is_found_when_it_is_read()
    {
        _store.Scan(Tile, "mbox/bob", 0, 9, 99);
        Change("DELETE FROM entries WHERE arrival = 2");
        Assert.Throws<DamagedTileException>(() => _store.Scan(Tile, "mbox/bob", 0, 9, 99));
        Assert.Throws<DamagedTileException>(() => _store.GetEntry(Tile, "mbox/bob", new(1)));
        Assert.Throws<DamagedTileException>(() => _store.Bury(Tile, "mbox/bob", new(1), 3000));
        Assert.Throws<DamagedTileException>(() => _store.ReadPage(Tile, default, 999));
        Assert.Throws<DamagedTileException>(() => _store.ReadStamps(Tile, default, 99));
    }

    [Fact]
    public void An_index_with_what_is_no_id_is_damage_and_does_not_stop_the_writer()
    {
        _store.Scan(Tile, "mbox/bob", 0, 9, 99);
        Change("UPDATE entry_ids SET id = x'ff' WHERE arrival = 2");
        Assert.Throws<DamagedTileException>(() => _store.ReadStamps(Tile, default, 99));
        using var later = new SqliteReplicaStore(_data.Database.Connection, _named.Add);
        var added = later.Insert(Tile, "mbox/bob", new(new(9), new byte[] { 9 }), 3000, SetLimits.Default);
        Assert.Equal(SetInsertResult.Added, added.Result);
    }

    [Theory]
    [InlineData("UPDATE tiles SET header = zeroblob(40)")]
    [InlineData("UPDATE tiles SET spare = zeroblob(40)")]
    public void A_damaged_header_is_read_from_its_spare_and_written_anew(string change)
    {
        Change(change);
        Assert.Equal(TilePhase.Active, Assert.Single(_store.Headers()).Phase);
        Assert.Equal([new DamagedRow("tiles", Tile, "header")], _named);
        _store.Headers();
        Assert.Single(_named);
    }

    [Fact]
    public void A_header_damaged_twice_ends_the_node()
    {
        Change("UPDATE tiles SET header = zeroblob(40), spare = zeroblob(40)");
        Assert.Throws<DamagedRowException>(() => _store.Headers());
    }

    [Fact]
    public void A_row_of_no_tile_ends_the_node()
    {
        Change("UPDATE entries SET set_number = 99 WHERE arrival = 2");
        Assert.Throws<DamagedRowException>(() => Scrub());
    }

    [Fact]
    public void Reading_a_damaged_row_says_so()
    {
        Change("UPDATE entries SET content = x'ff' WHERE arrival = 2; UPDATE registers SET value = x'06'");
        Assert.Throws<DamagedTileException>(() => _store.Scan(Tile, "mbox/bob", 0, 9, 99));
        Assert.Throws<DamagedTileException>(() => _store.GetRegister(Tile, "acct/user1"));
        Assert.Throws<DamagedTileException>(() => _store.ReadPage(Tile, default, 999));
    }

    [Theory]
    [InlineData("bob's own words")]
    [InlineData("BOB/x")]
    [InlineData("averylongname/x")]
    public void A_name_that_is_itself_damaged_is_not_repeated(string name) =>
        Assert.Equal("unknown kind", DamagedRow.Of("entries", Tile, name).Kind);

    private TileId[] Scrub()
    {
        var found = new HashSet<TileId>();
        for (var at = (ScrubCursor?)default(ScrubCursor); at is { } cursor;)
        {
            (at, var damaged) = _store.Check(cursor, 2);
            found.UnionWith(damaged);
        }

        return [.. found];
    }

    private long Number(string sql)
    {
        using var statement = new Statement(_data.Database.Connection, sql, 0);
        using var rows = statement.Read();
        return rows.Read() ? rows.GetInt64(0) : -1;
    }

    private void Change(string sql)
    {
        using var command = _data.Database.Connection.CreateCommand();
#pragma warning disable CA2100 // Only the constants above come here.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
