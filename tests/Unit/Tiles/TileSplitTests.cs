using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Storage;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#tile-split.</summary>
public class TileSplitTests
{
    private static readonly string[] LeftNames = [.. NamesIn("acct", Tile.First).Take(2)];
    private static readonly string RightName = NamesIn("acct", Tile.Second).First();
    private static readonly string RightBox = NamesIn("mbox", Tile.Second).First();

    private readonly Bench _bench = new();

    private TileConfiguration Left => Halves()[0];

    private TileConfiguration Right => Halves()[1];

    [Fact]
    public void Both_halves_go_on_with_the_same_members_and_the_rows_that_belong_there()
    {
        Fill();
        var cut = Cut();
        Assert.Equal(new EpochChangeOutcome.Decided(Left), cut.Outcome);
        Assert.Equal([Left, Right], cut.News.Select(news => news.Next));
        LearnEverywhere();
        foreach (var replica in _bench.Replicas[..3])
        {
            Assert.Equal(TilePhase.Retired, replica.Header(Tile)!.Phase);
            Assert.Equal((TilePhase.Active, Left), Standing(replica, Tile.First));
            Assert.Equal((TilePhase.Active, Right), Standing(replica, Tile.Second));
        }

        Assert.Equal("left", Read(Left, LeftNames[0]));
        Assert.Equal("right", Read(Right, RightName));
        Assert.Equal([new MessageId(7)], Scan(Right, RightBox));
    }

    [Fact]
    public void An_operation_that_knows_the_wider_tile_only_finds_the_half()
    {
        Fill();
        Cut();
        LearnEverywhere();
        Assert.Equal("left", Read(_bench.Now, LeftNames[0]));
        Assert.Equal("right", Read(_bench.Now, RightName));
        Assert.Equal([new MessageId(7)], Scan(_bench.Now, RightBox));
        var add = new SetAdd(_bench.Now, RightBox, Message(8), CoordinatorOptions.Default, 1);
        _bench.Run(add);
        Assert.Equal(Right, add.Configuration);
        Assert.IsType<SetAddOutcome.Stored>(add.Outcome);
    }

    [Fact]
    public void A_row_of_the_other_half_is_refused()
    {
        Cut();
        LearnEverywhere();
        Assert.IsType<ReplicaReply.WrongTile>(_bench.Ask(0, new ReplicaRequest.Peek(Right.At, LeftNames[0])));
        Assert.IsType<ReplicaReply.Peeked>(_bench.Ask(0, new ReplicaRequest.Peek(Left.At, LeftNames[0])));
    }

    [Fact]
    public void Nothing_is_done_for_the_wider_tile_any_more_whatever_is_heard_of_it()
    {
        Cut();
        LearnEverywhere();
        var replica = _bench.Replicas[0];
        foreach (var next in new[] { _bench.Now, _bench.Now.Next(_bench.Ids[..3]), _bench.Now.Next(_bench.Ids[2..5]) })
        {
            var standing = Assert.IsType<ReplicaReply.Standing>(
                _bench.Ask(0, new ReplicaRequest.NewConfiguration(next, null)));
            Assert.Equal(Left, standing.Newest);
        }

        Assert.Equal(TilePhase.Retired, replica.Header(Tile)!.Phase);
        Assert.Equal((TilePhase.Active, Left), Standing(replica, Tile.First));
        var late = new EpochChange(_bench.Now, _bench.Ids[..3], _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(late);
        Assert.Equal(new EpochChangeOutcome.Decided(Left), late.Outcome); // Decided again: it can be no other.
    }

    [Fact]
    public void A_rival_that_wants_other_members_finishes_a_cut_that_was_voted_for()
    {
        var ballot = _bench.Ballots.Next(1, default);
        for (var member = 0; member < 2; member++)
            _bench.Ask(member, new ReplicaRequest.Seal(_bench.Now.At, ballot));
        _bench.Ask(0, new ReplicaRequest.Decide(_bench.Now.At, ballot, Left));
        _bench.Deaf.Add(2);
        var rival = new EpochChange(_bench.Now, _bench.Ids[2..5], _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(rival);
        Assert.Equal(new EpochChangeOutcome.Decided(Left), rival.Outcome);
        Assert.Equal([Left, Right], rival.News.Select(news => news.Next));
    }

    [Fact]
    public void Who_wants_to_cut_finishes_a_change_of_members_that_was_voted_for()
    {
        var other = _bench.Now.Next(_bench.Ids[1..4]);
        var ballot = _bench.Ballots.Next(1, default);
        for (var member = 0; member < 2; member++)
            _bench.Ask(member, new ReplicaRequest.Seal(_bench.Now.At, ballot));
        _bench.Ask(1, new ReplicaRequest.Decide(_bench.Now.At, ballot, other));
        _bench.Deaf.Add(2);
        Assert.Equal(new EpochChangeOutcome.Decided(other), Cut().Outcome);
    }

    [Fact]
    public void Who_slept_through_the_cut_and_a_change_of_one_half_still_keeps_the_other_halfs_rows()
    {
        Fill();
        _bench.Deaf.Add(2);
        Cut();
        LearnEverywhere();
        var later = Left.Next(_bench.Ids[..2].Add(_bench.Ids[3])).Next(_bench.Ids[..2].Add(_bench.Ids[3]));
        _bench.Deaf.Clear();
        _bench.Ask(2, new ReplicaRequest.NewConfiguration(later, null));
        Assert.Equal((TilePhase.Retired, later), Standing(_bench.Replicas[2], Tile.First));
        Assert.Equal((TilePhase.Sealed, Right), Standing(_bench.Replicas[2], Tile.Second));
        Assert.Empty(_bench.Stores[2].Contents(Tile.First));
        Assert.Equal(2, _bench.Stores[2].Contents(Tile.Second).Count());

        var pulled = Assert.IsType<ReplicaReply.Pulled>(
            _bench.Ask(2, new ReplicaRequest.Pull(Right.At, default, 10_000)));
        Assert.Equal([RightName], pulled.Page.Registers.Select(row => row.Key));
    }

    [Fact]
    public void A_copy_of_an_older_epoch_is_dropped_and_never_counts()
    {
        Fill();
        _bench.Deaf.Add(2);
        var same = new EpochChange(_bench.Now, _bench.Ids[..3], _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(same);
        LearnEverywhere();
        var second = _bench.Replicas[0].Header(Tile)!.Configuration;
        _bench.Run(
            new EpochChange(second, _bench.Ids[..3], _bench.Ballots, CoordinatorOptions.Default, 2) { Cuts = true });
        _bench.Deaf.Clear();
        var half = second.Halves()[1].Next(second.Members);
        _bench.Ask(2, new ReplicaRequest.NewConfiguration(half, second.Halves()[1]));
        Assert.Equal(TilePhase.Retired, _bench.Replicas[2].Header(Tile)!.Phase);
        Assert.Null(_bench.Replicas[2].Header(Tile.First));
        Assert.Equal((TilePhase.Learning, half), Standing(_bench.Replicas[2], Tile.Second));
        Assert.Empty(_bench.Stores[2].Contents(Tile));
        Assert.Empty(_bench.Stores[2].Contents(Tile.Second));
    }

    [Fact]
    public void Whoever_hears_of_a_part_of_a_part_cuts_twice()
    {
        Fill();
        var part = Right.Halves()[0].Next(_bench.Ids[..3]);
        _bench.Ask(0, new ReplicaRequest.NewConfiguration(part, null));
        Assert.Equal((TilePhase.Sealed, Left), Standing(_bench.Replicas[0], Tile.First));
        Assert.Equal(TilePhase.Retired, _bench.Replicas[0].Header(Tile.Second)!.Phase);
        Assert.Equal((TilePhase.Learning, part), Standing(_bench.Replicas[0], Tile.Second.First));
        Assert.Equal(2, _bench.Stores[0].Contents(Tile.First).Count());
        Assert.Equal("left", Text(_bench.Stores[0].PeekRegister(Tile.First, LeftNames[0]).Value));
    }

    [Fact]
    public void After_a_restart_it_is_the_same()
    {
        Fill();
        Cut();
        var again = new Replica(_bench.Ids[0], _bench.Stores[0]);
        again.Found([_bench.Now]);
        var stale = Assert.IsType<ReplicaReply.Stale>(
            again.Handle(new ReplicaRequest.Peek(_bench.Now.At, RightName), _bench.Ids[1], 1));
        Assert.Equal(Right, stale.Newest);
        var smallest = TileId.Of(RowName.PointOf(RightName), TileId.BitsMax);
        var standing = Assert.IsType<ReplicaReply.Standing>(
            again.Handle(new ReplicaRequest.GetConfiguration(smallest), _bench.Ids[1], 1));
        Assert.Equal(Right, standing.Newest);
    }

    [Fact]
    public void The_directory_believes_the_narrowest_and_knows_the_other_half_at_once()
    {
        var directory = new TileDirectory(Tile.Bits, [_bench.Now]);
        var point = RowName.PointOf(RightName);
        Assert.False(directory.Learn(new TileConfiguration(Tile.First, 0, 9, _bench.Ids[..3])));
        Assert.True(directory.Learn(Left));
        Assert.Equal(Right, directory.At(point));
        Assert.Equal([Left, Right], directory.All.OrderBy(known => known.Tile));
        Assert.True(directory.Learn(_bench.Now.Next(_bench.Ids[1..4])));
        Assert.Equal(Right, directory.At(point));
        var moved = Right.Next(_bench.Ids[1..4]);
        Assert.True(directory.Learn(moved));
        Assert.Equal(moved, directory.At(point));
    }

    [Theory]
    [InlineData("acct/bob", "sess/bob")]
    [InlineData("acct/bob", "keylog/bob/17")]
    [InlineData("mbox/bob", "mbox/bob/old")]
    public void A_name_lies_where_its_kind_and_key_say(string name, string beside) =>
        Assert.Equal(RowName.PointOf(name), RowName.PointOf(beside));

    [Fact]
    public void Mailbox_and_account_lie_apart() =>
        Assert.NotEqual(RowName.PointOf("acct/bob"), RowName.PointOf("mbox/bob"));

    [Fact]
    public void What_the_members_of_a_half_tell_each_other_passes_the_wire_and_the_disk()
    {
        var before = Right.Halves()[0];
        var news = new ReplicaRequest.NewConfiguration(before.Next(before.Members), before);
        Assert.Equal(news, news.ToWire().ToReplicaRequest());
        var decide = new ReplicaRequest.Decide(_bench.Now.At, _bench.Ballots.Next(1, default), Left);
        Assert.Equal(decide, decide.ToWire().ToReplicaRequest());
        Assert.Throws<MalformedException>(() => (decide with { Next = Right }).ToWire().ToReplicaRequest());
        var stale = new ReplicaReply.Stale(Left, _bench.Now.Halves()[0]);
        Assert.Equal(stale, stale.ToWire().ToReplicaReply());
        var header = new TileHeader(before, TilePhase.Sealed, Pending: before.Next(before.Members));
        Assert.Equal(header, HeaderFormat.Read(HeaderFormat.Write(header)));
    }

    /// <summary>docs/protocol.md#tombstones.</summary>
    [Fact]
    public void A_tombstone_keeps_its_age_in_its_half_and_is_forgotten_there()
    {
        Fill();
        Pass(days: 20);
        foreach (var node in (int[])[0, 1, 2])
            _bench.Ask(node, new ReplicaRequest.Acknowledge(_bench.Now.At, RightBox, [new(7)]));
        Pass(days: 10);
        Cut();
        LearnEverywhere();
        Pass(days: 3.9);
        Assert.Equal(0, Collect(Right));
        Pass(days: 0.2);
        Assert.Equal(0, Collect(_bench.Now)); // Who knows of no cut yet hears of it, and that is all.
        Assert.Equal(1, Collect(Right));
        foreach (var store in _bench.Stores[..3])
            Assert.Equal([RightName], store.Contents(Tile.Second).Select(row => row.Row));
    }

    /// <summary>docs/protocol.md#tombstones: the others have gone on without it.</summary>
    [Fact]
    public void Who_was_away_across_the_cut_learns_its_half_from_nothing()
    {
        Fill();
        _bench.Ask(2, new ReplicaRequest.Doubt(Tile));
        _bench.Deaf.Add(2);
        Cut();
        LearnEverywhere();
        _bench.Deaf.Clear();
        _bench.Run(new Homecoming(_bench.Ids[2], _bench.Now, CoordinatorOptions.Default));
        Assert.Equal(TilePhase.Retired, _bench.Replicas[2].Header(Tile)!.Phase);
        Assert.Equal((TilePhase.Learning, Left), Standing(_bench.Replicas[2], Tile.First));
        foreach (var tile in new[] { Tile, Tile.First, Tile.Second })
            Assert.Empty(_bench.Stores[2].Contents(tile));
    }

    private void Pass(double days) => _bench.UnixMs += (long)TimeSpan.FromDays(days).TotalMilliseconds;

    private int Collect(TileConfiguration at)
    {
        var collection = new TombstoneCollector(_bench.Ids[0], at, CoordinatorOptions.Default);
        _bench.Run(collection);
        Assert.True(collection.IsDone);
        return collection.ForgottenCount;
    }

    private static IEnumerable<string> NamesIn(string kind, TileId tile) =>
        Enumerable.Range(0, 100_000).Select(i => $"{kind}/u{i}").Where(name => tile.Contains(RowName.PointOf(name)));

    private static (TilePhase Phase, TileConfiguration Newest) Standing(Replica replica, TileId tile) =>
        (replica.Header(tile)!.Phase, replica.Header(tile)!.Newest);

    private TileConfiguration[] Halves() => [.. _bench.Now.Halves().Select(half => half.Next(half.Members))];

    /// <summary>Two registers in the first half, a register and a message in the second.</summary>
    private void Fill()
    {
        foreach (var (name, text) in new[] { (LeftNames[0], "left"), (LeftNames[1], "left too"), (RightName, "right") })
            _bench.Run(new RegisterChange(
                _bench.Now, name, _ => Bytes(text), _bench.Ballots, CoordinatorOptions.Default, 1));
        _bench.Run(new SetAdd(_bench.Now, RightBox, Message(7), CoordinatorOptions.Default, 1));
    }

    private EpochChange Cut()
    {
        var cut = new EpochChange(_bench.Now, _bench.Ids[..3], _bench.Ballots, CoordinatorOptions.Default, 1)
        {
            Cuts = true,
        };
        _bench.Run(cut);
        return cut;
    }

    /// <summary>Every replica that has heard of its next epoch learns it.</summary>
    private void LearnEverywhere()
    {
        for (var node = 0; node < 3; node++)
            foreach (var header in _bench.Replicas[node].Headers.Where(header => header.Pending is not null).ToArray())
                _bench.Run(new Learner(_bench.Ids[node], header, CoordinatorOptions.Default, 1));
    }

    private string Read(TileConfiguration at, string name)
    {
        var read = new RegisterRead(at, name, _bench.Ballots, CoordinatorOptions.Default, 1);
        _bench.Run(read);
        return Text(Assert.IsType<RegisterReadOutcome.Agreed>(read.Outcome).Value);
    }

    private MessageId[] Scan(TileConfiguration at, string set)
    {
        _bench.Effects.Clear();
        var scan = new SetScan(at, set, CoordinatorOptions.Default, 1);
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        var pages = _bench.Effects.OfType<Effect.Deliver>();
        return [.. pages.SelectMany(page => page.Messages).Select(message => message.Id)];
    }
}
