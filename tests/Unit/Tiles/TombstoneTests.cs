using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Repair;
using ChordChat.Core.Tiles.Sets;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#tombstones: what is forgotten when, and that nothing deleted comes back.</summary>
public class TombstoneTests
{
    private readonly Bench _bench = new() { UnixMs = Days(1000) };

    private TileEpoch At => _bench.Now.At;

    [Fact]
    public void A_tombstone_is_forgotten_by_all_when_all_have_had_it_for_its_age()
    {
        KeepAndBury(1, 2);
        Pass(days: 13.9);
        Assert.Equal(0, Collect(0));
        Assert.Equal(2, RowCount(2));
        Pass(days: 0.2);
        Assert.Equal(2, Collect(0));
        Assert.Equal([0, 0, 0], Enumerable.Range(0, 3).Select(RowCount));
        Assert.Equal(Afresh(1), Root(1));
    }

    [Fact]
    public void A_message_never_is_and_neither_is_a_tombstone_that_is_young_at_one()
    {
        KeepAndBury(1);
        Keep(3, 0, 1, 2);
        Bury(3, 0, 1);
        Pass(days: 10);
        Bury(3, 2);
        Pass(days: 5);
        Assert.Equal(1, Collect(0));
        Assert.Equal([1, 1, 1], Enumerable.Range(0, 3).Select(RowCount));
        Assert.IsType<ReplicaReply.Forgotten>(_bench.Ask(2, new ReplicaRequest.Forget(At, "m", [new(3)])));
        Assert.Equal(1, RowCount(2));
        Pass(days: 10);
        Assert.Equal(1, Collect(0));
        Assert.Equal(0, RowCount(2));
    }

    [Fact]
    public void A_member_cut_off_across_the_time_keeps_the_tombstones_alive_and_gets_them()
    {
        Keep(1, 0, 1, 2);
        Bury(1, 0, 1); // Node 2 is cut off from here, with the message.
        Pass(days: 40);
        _bench.Deaf.Add(2);
        Assert.Equal(0, Collect(0));
        _bench.Deaf.Clear();
        Assert.Equal(0, Collect(0));
        Repair(2, from: 0);
        Assert.Empty(Scan());
        Assert.Equal(0, Collect(0));
        Pass(days: 14.1);
        Assert.Equal(1, Collect(0));
        Assert.Equal([0, 0, 0], Enumerable.Range(0, 3).Select(RowCount));
        Assert.Empty(Scan());
    }

    /// <summary>The calendar may jump, a node may be off for weeks: its rows are as old as it has run.</summary>
    [Fact]
    public void Time_in_which_a_node_was_off_does_not_count()
    {
        KeepAndBury(1);
        Pass(days: 15);
        _bench.OffMs[1] = Days(3);
        Assert.Equal(0, Collect(0));
        Pass(days: 3);
        Assert.Equal(1, Collect(0));
    }

    [Fact]
    public void What_was_handed_in_long_ago_is_no_new_message()
    {
        var sent = _bench.UnixMs;
        Keep(1, 0);
        Pass(days: 6.9);
        Assert.IsType<ReplicaReply.Added>(Add(1, 2, sent));
        Pass(days: 0.2);
        Assert.IsType<ReplicaReply.TooLate>(Add(1, 1, sent));
        Assert.IsType<ReplicaReply.Added>(Add(0, 1, sent)); // It is there: the retry is told so.
        Bury(1, 0);
        Assert.IsType<ReplicaReply.Buried>(Add(0, 1, _bench.UnixMs));
        Assert.IsType<ReplicaReply.TooLate>(Add(0, 1, sent)); // As when the tombstone is forgotten.
        Assert.IsType<ReplicaReply.Added>(Add(1, 3, _bench.UnixMs));
        Assert.IsType<ReplicaReply.Added>(Add(1, 4, _bench.UnixMs + Days(2))); // A calendar that is ahead.
    }

    [Fact]
    public void A_sender_is_told_when_it_is_too_late()
    {
        var sent = _bench.UnixMs;
        KeepAndBury(1);
        Pass(days: 15);
        Collect(0);
        var again = new SetAdd(_bench.Now, "m", Message(1), CoordinatorOptions.Default, 1) { SentMs = sent };
        _bench.Run(again);
        Assert.IsType<SetAddOutcome.TooLate>(again.Outcome);
        Assert.Empty(Scan());
    }

    /// <summary>The node that is asked is ten days behind; what it was handed is an hour old, or eight days.</summary>
    [Theory]
    [InlineData(1.0 / 24, true)]
    [InlineData(8.0, false)]
    public void Lateness_is_judged_by_the_calendars_of_the_members(double ageDays, bool isKept)
    {
        var ours = _bench.UnixMs - Days(10);
        var sent = ours - Days(ageDays);
        var first = new SetAdd(_bench.Now, "m", Message(1), CoordinatorOptions.Default, 1) { SentMs = sent };
        _bench.Run(first);
        var late = Assert.IsType<SetAddOutcome.TooLate>(first.Outcome);

        var corrected = SetAdd.ByTheirCalendar(sent, late.NowMs, ours);
        var again = new SetAdd(_bench.Now, "m", Message(1), CoordinatorOptions.Default, 1) { SentMs = corrected };
        _bench.Run(again);

        Assert.Equal(isKept, again.Outcome is SetAddOutcome.Stored);
        // Not our calendar is wrong, the message has been on its way for so long.
        Assert.Equal(sent, SetAdd.ByTheirCalendar(sent, late.NowMs, late.NowMs));
    }

    /// <summary>A reader that saw the message before it was acknowledged, and mends after it was forgotten.</summary>
    [Fact]
    public void A_reader_that_slept_brings_nothing_back()
    {
        Keep(1, 0);
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default, 1) { BegunMs = _bench.UnixMs };
        var repairs = scan.Start().OfType<Effect.Send>().ToArray()
            .SelectMany(read => scan.On(read.To, read.Request, _bench.Ask(_bench.Ids.IndexOf(read.To), read.Request))
                .OfType<Effect.Send>().ToArray())
            .ToArray();
        Assert.IsType<ReplicaRequest.Add>(Assert.Single(repairs).Request);
        Bury(1, 0, 1, 2);
        Pass(days: 15);
        Assert.Equal(1, Collect(0));
        Assert.IsType<ReplicaReply.TooLate>(_bench.Ask(_bench.Ids.IndexOf(repairs[0].To), repairs[0].Request));
        Assert.Empty(Scan());
    }

    [Fact]
    public void A_page_of_a_repair_that_slept_brings_nothing_back()
    {
        Keep(1, 0);
        var page = new TilePage([], [new("m", new(1), Bytes("x"), 0)], null);
        var mend = new ReplicaRequest.Mend(At, page, AskedMs: _bench.UnixMs);
        Bury(1, 0, 1, 2);
        Pass(days: 15);
        Assert.Equal(1, Collect(0));
        Assert.IsType<ReplicaReply.TooLate>(_bench.Ask(1, mend));
        Assert.Equal(0, RowCount(1));
    }

    /// <summary>Node 0 orders the others to forget, and one of them does not hear it.</summary>
    [Fact]
    public void What_one_has_forgotten_and_another_not_does_not_go_round_and_is_finished_by_whoever_has_it()
    {
        KeepAndBury(1);
        Pass(days: 15);
        _bench.Ask(1, new ReplicaRequest.Forget(At, "m", [new(1)]));
        _bench.Ask(0, new ReplicaRequest.Forget(At, "m", [new(1)]));
        Assert.Equal(0, Repair(1, from: 2));
        Assert.Equal([0, 0, 1], Enumerable.Range(0, 3).Select(RowCount));
        Assert.Equal(0, Collect(2)); // The third waits two days longer than the first.
        Pass(days: 1);
        Assert.Equal(1, Collect(2));
        Assert.Equal(0, RowCount(2));
    }

    [Fact]
    public void A_message_at_one_is_buried_by_a_tombstone_however_old()
    {
        Keep(1, 0, 1, 2);
        Bury(1, 0, 1);
        Pass(days: 20);
        Assert.Equal(1, Repair(2, from: 0));
        Assert.Empty(Scan());
    }

    [Fact]
    public void A_transfer_carries_tombstones_and_their_age()
    {
        KeepAndBury(1);
        Pass(days: 10);
        var next = _bench.Now.Next([_bench.Ids[1], _bench.Ids[2], _bench.Ids[3]]);
        _bench.OffMs[3] = Days(900); // A node that is young itself.
        _bench.Run(new EpochChange(_bench.Now, next.Members, _bench.Ballots, CoordinatorOptions.Default, 1));
        foreach (var node in (int[])[1, 2, 3])
            _bench.Run(new Learner(
                _bench.Ids[node], _bench.Replicas[node].Header(Tile)!, CoordinatorOptions.Default, 1));
        Assert.Equal(TilePhase.Active, _bench.Replicas[3].Header(Tile)!.Phase);
        Assert.Equal(1, RowCount(3));
        Pass(days: 3.9);
        Assert.Equal(0, Collect(1, next));
        Pass(days: 0.2);
        Assert.Equal(1, Collect(1, next));
        Assert.Equal(0, RowCount(3));
    }

    [Fact]
    public void A_message_that_nobody_reads_expires_when_a_majority_finds_it_old_enough()
    {
        Keep(1, 0, 1, 2);
        _bench.OffMs[1] = _bench.OffMs[2] = Days(1);
        Pass(days: 30.5);
        Assert.Equal(0, Expire(0)); // One clock alone decides nothing.
        Assert.Equal("hello", Text(Assert.Single(Scan()).Content));
        Pass(days: 1);
        Assert.Equal(1, Expire(0));
        Assert.Empty(Scan());
        Pass(days: 14.1);
        Assert.Equal(1, Collect(0));
        Assert.Equal([0, 0, 0], Enumerable.Range(0, 3).Select(RowCount));
    }

    [Fact]
    public void A_mailbox_keeps_the_marks_of_two_weeks_and_no_more()
    {
        var most = 0;
        for (var day = 0u; day < 90; day++)
        {
            for (var i = 0u; i < 50; i++)
                KeepAndBury((day * 50) + i + 1);
            Pass(days: 1);
            Collect((int)(day % 3));
            most = Math.Max(most, RowCount(0));
        }

        Assert.InRange(most, 14 * 50, 19 * 50);
    }

    [Fact]
    public void A_node_that_was_away_comes_back_empty_when_the_others_went_on()
    {
        Keep(1, 0, 1, 2);
        Bury(1, 0, 1);
        ComeBack(2);
        Assert.Equal(TilePhase.Away, _bench.Replicas[2].Header(Tile)!.Phase);
        Assert.IsType<ReplicaReply.Behind>(_bench.Ask(2, new ReplicaRequest.Scan(At, "m", 0, 10)));
        Assert.IsType<ReplicaReply.Behind>(_bench.Ask(2, new ReplicaRequest.Seal(At, new(1, 9, _bench.Ids[0], 1))));
        Assert.IsType<ReplicaReply.Behind>(_bench.Ask(2, new ReplicaRequest.Pull(At, default, 100)));
        _bench.Run(Homecoming(2));
        Assert.Equal(TilePhase.Damaged, _bench.Replicas[2].Header(Tile)!.Phase);

        var next = _bench.Now.Next(_bench.Now.Members);
        _bench.Run(new EpochChange(_bench.Now, next.Members, _bench.Ballots, CoordinatorOptions.Default, 1));
        Assert.Equal(TilePhase.Learning, _bench.Replicas[2].Header(Tile)!.Phase);
        Assert.Equal(0, RowCount(2));
        foreach (var node in (int[])[0, 1, 2])
            _bench.Run(new Learner(
                _bench.Ids[node], _bench.Replicas[node].Header(Tile)!, CoordinatorOptions.Default, 1));
        Assert.Equal(["buried"], _bench.Stores[2].Contents(Tile).Select(row => row.State));
    }

    [Fact]
    public void When_all_were_off_together_all_keep_what_they_have()
    {
        Keep(1, 0, 1, 2);
        foreach (var node in (int[])[0, 1, 2])
            ComeBack(node);
        foreach (var node in (int[])[0, 1, 2])
            _bench.Run(Homecoming(node));
        Assert.All(_bench.Replicas[..3], replica => Assert.Equal(TilePhase.Active, replica.Header(Tile)!.Phase));
        Assert.Single(Scan());
    }

    /// <summary>Two of three were off: nothing was acknowledged without them, so nobody has to drop anything.</summary>
    [Fact]
    public void Who_was_away_itself_is_nobody_that_went_on()
    {
        Keep(1, 0, 1, 2);
        ComeBack(1);
        ComeBack(2);
        _bench.Run(Homecoming(1));
        _bench.Run(Homecoming(2));
        Assert.All(_bench.Replicas[..3], replica => Assert.Equal(TilePhase.Active, replica.Header(Tile)!.Phase));
        Pass(days: 20);
        ComeBack(2);
        _bench.Run(Homecoming(2));
        Assert.Equal(TilePhase.Damaged, _bench.Replicas[2].Header(Tile)!.Phase);
    }

    [Fact]
    public void A_node_that_nobody_answers_counts_after_a_while()
    {
        ComeBack(2);
        _bench.Deaf.UnionWith([0, 1]);
        _bench.Run(Homecoming(2));
        Assert.Equal(TilePhase.Active, _bench.Replicas[2].Header(Tile)!.Phase);
    }

    /// <summary>docs/protocol.md#generations: most disks are gone, and this one has the only rows.</summary>
    [Fact]
    public void A_node_that_was_away_is_a_survivor_when_an_order_names_it()
    {
        Keep(1, 2);
        ComeBack(2);
        var survivors = _bench.Now with { Members = [_bench.Ids[2]] };
        var next = new TileConfiguration(Tile, 1, 2, [_bench.Ids[3]]);
        _bench.Ask(2, new ReplicaRequest.NewConfiguration(next, survivors));
        Assert.Equal(TilePhase.Sealed, _bench.Replicas[2].Header(Tile)!.Phase);
        Assert.Equal(1, RowCount(2));
    }

    private static long Days(double days) => (long)TimeSpan.FromDays(days).TotalMilliseconds;

    private void Pass(double days) => _bench.UnixMs += Days(days);

    private void ComeBack(int node) =>
        Assert.IsType<ReplicaReply.Done>(_bench.Ask(node, new ReplicaRequest.Doubt(Tile)));

    private Homecoming Homecoming(int node) => new(_bench.Ids[node], _bench.Now, CoordinatorOptions.Default);

    private ReplicaReply Add(int node, uint id, long sentMs) =>
        _bench.Ask(node, new ReplicaRequest.Add(At, "m", new MessageId(id), Bytes("hello"), sentMs));

    private void Keep(uint id, params int[] nodes) =>
        Assert.All(nodes, node => Assert.IsType<ReplicaReply.Added>(Add(node, id, _bench.UnixMs)));

    private void Bury(uint id, params int[] nodes) => Assert.All(nodes, node =>
        Assert.IsType<ReplicaReply.Acknowledged>(_bench.Ask(node, new ReplicaRequest.Acknowledge(At, "m", [new(id)]))));

    private void KeepAndBury(params uint[] ids) => Assert.All(ids, id =>
    {
        Keep(id, 0, 1, 2);
        Bury(id, 0, 1, 2);
    });

    private int RowCount(int node) => _bench.Stores[node].Contents(Tile).Count();

    private TombstoneCollector Run(int node, TileConfiguration? at = null)
    {
        var collection = new TombstoneCollector(_bench.Ids[node], at ?? _bench.Now, CoordinatorOptions.Default);
        _bench.Run(collection);
        Assert.True(collection.IsDone);
        return collection;
    }

    private int Collect(int node, TileConfiguration? at = null) => Run(node, at).ForgottenCount;

    private int Expire(int node) => Run(node).ExpiredCount;

    private List<SetMessage> Scan()
    {
        _bench.Effects.Clear();
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default, 1) { BegunMs = _bench.UnixMs };
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        return [.. _bench.Effects.OfType<Effect.Deliver>().SelectMany(delivery => delivery.Messages)];
    }

    private UInt128 Root(int node) =>
        Assert.IsType<ReplicaReply.Summary>(_bench.Ask(node, new ReplicaRequest.Summarize(At))).Root!.Value;

    /// <summary>What the digest of a restarted replica is.</summary>
    private UInt128 Afresh(int node) => Assert.IsType<ReplicaReply.Summary>(
        new Replica(_bench.Ids[node], _bench.Stores[node]).Handle(
            new ReplicaRequest.Summarize(At), _bench.Ids[node], 0)).Root!.Value;

    private int Repair(int node, int from)
    {
        var (mine, _) = (Root(node), Root(from));
        var theirs = Assert.IsType<ReplicaReply.Differing>(
            _bench.Ask(from, new ReplicaRequest.Compare([new(At, mine)]))).Tiles.Single();
        var repair = new TileRepair(
            _bench.Ids[node], _bench.Ids[from], _bench.Now, theirs.Sums, CoordinatorOptions.Default)
        {
            BegunMs = _bench.UnixMs,
        };
        _bench.Run(repair);
        return repair.FetchedCount;
    }
}
