using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#tombstones, on a real file: ages outlive restarts, and what is forgotten takes no
/// room.</summary>
public sealed class RowAgeTests : IDisposable
{
    private const string Mailbox = "mbox/bob";
    private static readonly TileId Tile = new(7, 0x5a);
    private static readonly NodeId Self = new(1, 2);
    private readonly TemporaryFolder _folder = new();
    private readonly ManualTime _time = new();
    private DataFolder _data;
    private SqliteReplicaStore _store;
    private RunningTime _clock;
    private Replica _replica;

    public RowAgeTests()
    {
        new ClusterFolder(_folder.Path).Create(new(["n1"], 0, SessionPolicy.Takeover, false), DateTimeOffset.UtcNow);
        (_data, _store, _clock, _replica) = Open();
        _replica.Found([Configuration]);
    }

    private static TileConfiguration Configuration => new(Tile, 0, 1, [Self]);

    public void Dispose()
    {
        Close();
        _folder.Dispose();
    }

    [Fact]
    public void A_mailbox_is_as_small_again_as_when_nothing_had_ever_been_in_it()
    {
        for (var id = 1u; id <= 3_000; id++)
            Ask(new ReplicaRequest.Add(Configuration.At, Mailbox, new(id), new byte[20]));
        Bury(1, 2_999);
        Run(TimeSpan.FromDays(13));
        Restart();
        Assert.Equal(0, Collect());
        Run(TimeSpan.FromDays(2));
        Assert.Equal(2_999, Collect());
        var left = Assert.Single(_store.ReadEntryStamps(Tile, default, 4_000));
        Assert.Equal((Mailbox, new MessageId(3_000), false), (left.Set, left.Id, left.IsBuried));
        Assert.Equal(1, _store.PendingCount(Tile, Mailbox));
        Assert.Empty(_store.Check(new ScrubCursor(0, null, 0), 10_000).Damaged);
    }

    /// <summary>docs/protocol.md#tombstones: the age of a row is the word of the replica that it came from.</summary>
    [Theory]
    [InlineData(long.MaxValue, 0L, true)]
    [InlineData(long.MaxValue, long.MinValue, true)]
    [InlineData(long.MinValue, long.MaxValue, false)]
    [InlineData(0L, 5L, false)]
    public void No_number_makes_a_row_that_never_gets_old(long ranMs, long sinceMs, bool isOld)
    {
        var entry = new TransferredEntry(Mailbox, new MessageId(1), null, sinceMs);
        var since = ReplicaAges.SinceHere(new TilePage([], [entry], null, ranMs), entry, ranMs: 1_000);
        _store.Bury(Tile, Mailbox, entry.Id, since);
        Assert.Equal(isOld ? EntryAge.OldTombstone : EntryAge.Tombstone, Age());
        Run(TimeSpan.FromDays(15));
        Assert.Equal(EntryAge.OldTombstone, Age());

        EntryAge Age() => Assert.Single(Assert.IsType<ReplicaReply.Ages>(
            Ask(new ReplicaRequest.GetAges(Configuration.At, Mailbox, [entry.Id]))).Of);
    }

    [Fact]
    public void The_arrival_of_a_forgotten_row_is_not_given_out_again()
    {
        Ask(new ReplicaRequest.Add(Configuration.At, Mailbox, new(1), new byte[20]));
        Bury(1, 1);
        Run(TimeSpan.FromDays(15));
        Assert.Equal(1, Collect());
        Restart();
        Assert.Equal(
            new ReplicaReply.Added(2), Ask(new ReplicaRequest.Add(Configuration.At, Mailbox, new(2), new byte[20])));
    }

    [Fact]
    public void Forgetting_takes_tombstones_only()
    {
        Ask(new ReplicaRequest.Add(Configuration.At, Mailbox, new(1), new byte[20]));
        Assert.False(_store.Forget(Tile, Mailbox, new(1)));
        Assert.False(_store.Forget(Tile, Mailbox, new(7)));
        Bury(1, 1);
        Assert.True(_store.Forget(Tile, Mailbox, new(1)));
        Assert.Null(_store.GetEntry(Tile, Mailbox, new(1)));
    }

    [Fact]
    public void Entries_are_listed_over_sets_in_pieces_and_in_order()
    {
        for (var id = 1u; id <= 9; id++)
            Ask(new ReplicaRequest.Add(Configuration.At, $"mbox/{(char)('a' + (id % 3))}", new(id), new byte[1]));
        var (all, at) = (new List<EntryStamp>(), default(TileCursor));
        while (_store.ReadEntryStamps(Tile, at, 2) is { Count: > 0 } some)
        {
            all.AddRange(some);
            at = new(Entries: true, some[^1].Set, some[^1].Id);
        }

        Assert.Equal([3u, 6u, 9u, 1u, 4u, 7u, 2u, 5u, 8u], all.Select(entry => (uint)entry.Id.Value));
    }

    [Fact]
    public void Running_time_stands_still_while_the_node_is_off_and_leaps_over_no_pause()
    {
        var start = _clock.Now().RanMs;
        Run(TimeSpan.FromHours(1));
        var before = _clock.Now().RanMs;
        Assert.Equal(TimeSpan.FromHours(1).TotalMilliseconds, before - start);
        _time.Now += TimeSpan.FromDays(30); // SIGSTOP, or a lid that was shut.
        Assert.Equal(TimeSpan.FromMinutes(2).TotalMilliseconds, _clock.Now().RanMs - before);
        _time.Now += TimeSpan.FromDays(1);
        _clock.Now();
        Assert.Equal(TimeSpan.FromDays(1), _clock.Away);

        Run(TimeSpan.FromHours(1));
        before = _clock.Now().RanMs;
        Close();
        _time.Now += TimeSpan.FromDays(3);
        (_data, _store, _clock, _replica) = Open();
        Assert.InRange(_clock.Now().RanMs, before - TimeSpan.FromMinutes(5).TotalMilliseconds, before);
        Assert.InRange(_clock.Away, TimeSpan.FromDays(3), TimeSpan.FromDays(3.01));
        _clock.Now();
        Assert.Equal(TimeSpan.Zero, _clock.Away);
    }

    /// <summary>The last five minutes were not saved: rows from then are younger than nothing, never old.</summary>
    [Fact]
    public void A_row_from_the_time_that_was_lost_with_the_process_is_young()
    {
        Run(TimeSpan.FromMinutes(4));
        Bury(1, 1);
        Restart();
        var ask = new ReplicaRequest.GetAges(Configuration.At, Mailbox, [new(1)]);
        Assert.Equal(EntryAge.Tombstone, Assert.Single(Assert.IsType<ReplicaReply.Ages>(Ask(ask)).Of));
    }

    private (DataFolder, SqliteReplicaStore, RunningTime, Replica) Open()
    {
        var data = DataFolder.Open(_folder["nodes/n1"]);
        var store = new SqliteReplicaStore(data.Database.Connection, row => Assert.Fail($"{row} is damaged"));
        return (data, store, new RunningTime(data.Database, _time), new Replica(Self, store));
    }

    private void Close()
    {
        _store.Dispose();
        _data.Dispose();
    }

    private void Restart()
    {
        Close();
        (_data, _store, _clock, _replica) = Open();
    }

    private void Run(TimeSpan time)
    {
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromMinutes(1))
        {
            _time.Now += TimeSpan.FromMinutes(1);
            _clock.Now();
        }
    }

    private ReplicaReply Ask(ReplicaRequest request) => _replica.Handle(request, Self, _clock.Now());

    private void Bury(uint first, uint last) => Ask(new ReplicaRequest.Acknowledge(
        Configuration.At, Mailbox,
        [.. Enumerable.Range((int)first, (int)(last - first + 1)).Select(id => new MessageId((uint)id))]));

    private int Collect()
    {
        var collector = new TombstoneCollector(Self, Configuration, CoordinatorOptions.Default);
        var open = new Queue<Effect.Send>(collector.Start().OfType<Effect.Send>());
        while (open.TryDequeue(out var send))
            foreach (var next in collector.On(Self, send.Request, Ask(send.Request)).OfType<Effect.Send>())
                open.Enqueue(next);
        Assert.True(collector.IsDone);
        return collector.ForgottenCount;
    }
}
