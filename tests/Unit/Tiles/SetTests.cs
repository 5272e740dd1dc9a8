using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#set: adds, acknowledgements and scans against three replicas.</summary>
public class SetTests
{
    private readonly Bench _bench = new(new SetLimits(100, 10_000));

    [Fact]
    public void An_add_is_stored_at_a_majority_and_counts_the_later_copies()
    {
        var add = NewAdd(1);
        var sends = add.Start().OfType<Effect.Send>().ToArray();
        Pass(add, sends[0]);
        Assert.Null(add.Outcome);
        Pass(add, sends[1]);
        Assert.IsType<SetAddOutcome.Stored>(add.Outcome);
        Assert.Equal((2, false), (add.CopyCount, add.IsDone));
        Pass(add, sends[2]);
        Assert.True(add.IsDone);
        Assert.Equal(_bench.Now.Members.ToArray(), add.Copies.ToArray());
    }

    [Fact]
    public void A_late_member_is_asked_again_and_then_left_alone()
    {
        _bench.Deaf.Add(2);
        var add = NewAdd(1);
        _bench.Run(add);
        Assert.IsType<SetAddOutcome.Stored>(add.Outcome);
        Assert.Equal(CoordinatorOptions.Default.LateRoundsMax, _bench.Sent.Count(send => send.To == _bench.Ids[2]));
    }

    [Fact]
    public void Without_a_majority_a_message_is_queued_and_its_copies_are_known()
    {
        _bench.Deaf.UnionWith([1, 2]);
        var add = NewAdd(1);
        _bench.Run(add);
        Assert.IsType<SetAddOutcome.Queued>(add.Outcome);
        Assert.Equal([_bench.Ids[0]], add.Copies.ToArray());
    }

    /// <summary>docs/protocol.md#tombstones: what it adds is new, whatever its own calendar says.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(8, false)] // It really took that long.
    public void Read_repair_of_a_node_whose_calendar_is_behind_is_not_too_late(int days, bool isMended)
    {
        const long day = 86_400_000;
        _bench.UnixMs = 100 * day;
        _bench.Ask(0, new ReplicaRequest.Add(_bench.Now.At, "m", new MessageId(1), Bytes("hello")));
        _bench.Deaf.Add(2);
        var scan = new SetScan(_bench.Now, "m", CoordinatorOptions.Default, 1)
        {
            BegunMs = 90 * day,
            NowMs = () => (90 + days) * day,
        };
        _bench.Run(scan);
        Assert.Equal(isMended, scan.Outcome is SetScanOutcome.Complete);
        Assert.Equal(isMended, _bench.Stores[1].GetEntry(Tile, "m", new MessageId(1)) is not null);
    }

    [Fact]
    public void A_full_set_refuses_at_once()
    {
        var bench = new Bench(new SetLimits(0, 0));
        var add = new SetAdd(bench.Now, "m", Message(1), CoordinatorOptions.Default, 1);
        bench.Run(add);
        Assert.IsType<SetAddOutcome.Refused>(add.Outcome);
        Assert.Equal(3, bench.Sent.Count);
    }

    [Fact]
    public void A_scan_unites_what_different_members_have_and_mends_them()
    {
        for (var id = 1u; id <= 60; id++)
            for (var node = 0; node < 2; node++)
                if (id % 3 == 0 || (id + node) % 2 == 0)
                    Keep(node, id);
        Assert.Equal(Enumerable.Range(1, 60).Select(id => (uint)id), Scan().Order());
        for (var node = 0; node < 2; node++)
            Assert.Equal(60, _bench.Stores[node].Scan(Tile, "m", 0, 999, 99_999).Messages.Length);
    }

    /// <summary>docs/protocol.md, "Without a quorum".</summary>
    [Fact]
    public void A_copy_that_is_made_after_the_others_were_unreachable_is_named_all_the_same()
    {
        var add = NewAdd(1);
        var sent = add.Start().OfType<Effect.Send>().ToList();
        add.OnUnreachable(sent[1].To, sent[1].Request);
        add.OnUnreachable(sent[2].To, sent[2].Request);
        Pass(add, sent[0]);
        _bench.Deaf.UnionWith([0, 1, 2]);
        while (add.Outcome is null)
            add.OnTimeout();
        Assert.IsType<SetAddOutcome.Queued>(add.Outcome);
        Assert.Equal([_bench.Ids[0]], add.Copies.ToArray());
    }

    /// <summary>docs/protocol.md#set: the reader's pace.</summary>
    [Fact]
    public void A_scan_asks_for_the_next_pages_only_when_the_last_were_taken()
    {
        for (var id = 1u; id <= 50; id++)
            for (var node = 0; node < 3; node++)
                Keep(node, id);
        var scan = NewScan(isPaced: true);
        var asked = new Queue<Effect.Send>(scan.Start().OfType<Effect.Send>());
        var shown = 0;
        while (!scan.IsDone)
        {
            List<Effect> effects = [];
            while (asked.TryDequeue(out var send))
                effects.AddRange(scan.On(
                    send.To, send.Request, _bench.Ask(_bench.Ids.IndexOf(send.To), send.Request)));
            var delivered = effects.OfType<Effect.Deliver>().Sum(deliver => deliver.Messages.Count);
            shown += delivered;
            Assert.InRange(delivered, 1, 7);
            Assert.Empty(effects.OfType<Effect.Send>());
            Assert.Empty(scan.OnTimeout()); // A reader may take as long as it likes.
            if (!scan.IsDone)
                scan.OnTaken().OfType<Effect.Send>().ToList().ForEach(asked.Enqueue);
        }

        Assert.Equal(50, shown);
    }

    [Fact]
    public void A_scan_never_shows_what_somebody_has_acknowledged_and_buries_it_everywhere()
    {
        Keep(0, 1);
        Keep(0, 2);
        _bench.Ask(1, new ReplicaRequest.Acknowledge(_bench.Now.At, "m", [new MessageId(1)]));
        Assert.Equal([2u], Scan());
        Assert.IsType<ReplicaReply.Buried>(
            _bench.Ask(0, new ReplicaRequest.Add(_bench.Now.At, "m", new MessageId(1), Bytes("x"))));
    }

    [Fact]
    public void A_scan_asks_another_member_when_one_is_silent_and_ends_without_a_majority()
    {
        Keep(1, 1);
        Keep(2, 1);
        _bench.Deaf.Add(0);
        Assert.Equal([1u], Scan());
        _bench.Deaf.Add(1);
        var scan = NewScan();
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Unavailable>(scan.Outcome);
    }

    /// <summary>Whether it lies or has too much to do: of what it does not take nothing can be said.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(0, false)]
    [InlineData(1, false)]
    public void A_member_that_takes_no_repairs_hides_nothing_that_the_others_have(int member, bool answers)
    {
        for (var id = 1u; id <= 100; id++)
            for (var node = 0; node < 3; node++)
                if (node != member)
                    Keep(node, id);
        RefuseRepairs(member, answers);
        Assert.Equal(Enumerable.Range(1, 100).Select(id => (uint)id), Scan().Order());
        Assert.Equal(answers ? 0 : 3, _bench.Rings); // The page, the repairs, and once more.
    }

    [Theory, InlineData(0), InlineData(1)]
    public void A_member_that_takes_one_repair_a_round_is_not_waited_for(int member)
    {
        for (var id = 1u; id <= 90; id++)
            for (var node = 0; node < 3; node++)
                if (node != member)
                    Keep(node, id);
        var scan = NewScan();
        var (slow, others, shown, rounds) = (new Queue<Effect.Send>(), new Queue<Effect.Send>(), new List<uint>(), 0);
        Take(scan.Start());
        for (; !scan.IsDone && rounds < 100; rounds++)
        {
            if (slow.TryDequeue(out var send))
                others.Enqueue(send);
            while (others.TryDequeue(out send))
                Take(scan.On(send.To, send.Request, _bench.Ask(_bench.Ids.IndexOf(send.To), send.Request)));
            Take(scan.OnTimeout());
        }

        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        Assert.Equal(Enumerable.Range(1, 90).Select(id => (uint)id), shown.Order());
        Assert.InRange(rounds, 1, 2 * CoordinatorOptions.Default.RoundsMax);

        void Take(IReadOnlyList<Effect> effects)
        {
            foreach (var send in effects.OfType<Effect.Send>())
                (send.To == _bench.Ids[member] && send.Request is ReplicaRequest.Add ? slow : others).Enqueue(send);
            shown.AddRange(effects.OfType<Effect.Deliver>()
                .SelectMany(deliver => deliver.Messages).Select(message => (uint)message.Id.Value));
        }
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Where_one_of_the_two_that_answer_takes_no_repairs_a_scan_has_no_majority(bool answers)
    {
        Keep(1, 1);
        _bench.Deaf.Add(2);
        RefuseRepairs(0, answers);
        var scan = NewScan();
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Unavailable>(scan.Outcome);
        Assert.Empty(_bench.Effects.OfType<Effect.Deliver>());
        Assert.InRange(_bench.Sent.Count, 1, 100);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void A_member_that_did_not_take_a_repair_is_asked_again_where_there_is_no_other(bool answers)
    {
        Keep(1, 1);
        _bench.Deaf.Add(2);
        RefuseRepairs(0, answers, times: 2);
        Assert.Equal([1u], Scan());
    }

    [Fact]
    public void A_member_that_takes_no_repairs_is_read_last_also_when_a_scan_begins_again()
    {
        Keep(1, 1);
        Keep(2, 1);
        RefuseRepairs(0, answers: true);
        var (refuses, isFirst) = (_bench.Lie!, true);
        _bench.Lie = (node, request) =>
        {
            if (node != 2 || request is not ReplicaRequest.Scan || !isFirst)
                return refuses(node, request);
            isFirst = false;
            return new ReplicaReply.NoSuchRow();
        };
        Assert.Equal([1u], Scan());
        Assert.Single(_bench.Sent, sent => sent.To == _bench.Ids[0] && sent.Request is ReplicaRequest.Scan);
    }

    [Fact]
    public void An_acknowledgement_needs_a_majority()
    {
        _bench.Deaf.UnionWith([0, 1]);
        var acknowledge = new SetAcknowledge(_bench.Now, "m", [new MessageId(1)], CoordinatorOptions.Default, 1);
        _bench.Run(acknowledge);
        Assert.IsType<SetAcknowledgeOutcome.Unknown>(acknowledge.Outcome);
        _bench.Deaf.Remove(1);
        acknowledge = new SetAcknowledge(_bench.Now, "m", [new MessageId(1)], CoordinatorOptions.Default, 1);
        _bench.Run(acknowledge);
        Assert.IsType<SetAcknowledgeOutcome.Stored>(acknowledge.Outcome);
    }

    /// <summary>docs/protocol.md#set: of two messages with one id, one is kept.</summary>
    [Fact]
    public void An_id_that_another_message_has_is_refused_and_the_same_bytes_are_kept_again()
    {
        _bench.Run(NewAdd(1));
        var same = NewAdd(1);
        _bench.Run(same);
        Assert.IsType<SetAddOutcome.Stored>(same.Outcome);

        var other = Other(1, "another");
        _bench.Run(other);
        Assert.IsType<SetAddOutcome.Occupied>(other.Outcome);
        Assert.Equal(0, other.CopyCount);
        Assert.Equal([1u], Scan());
    }

    [Theory]
    [InlineData("another", "text")]
    [InlineData("text", "another")]
    public void Of_two_messages_with_one_id_that_meet_only_one_is_ever_called_kept(string mine, string theirs)
    {
        _bench.Ask(0, new ReplicaRequest.Add(_bench.Now.At, "m", new MessageId(1), Bytes(mine)));
        _bench.Ask(1, new ReplicaRequest.Add(_bench.Now.At, "m", new MessageId(1), Bytes(theirs)));
        _bench.Deaf.Add(2);
        var early = Other(1, mine);
        _bench.Run(early);
        Assert.IsType<SetAddOutcome.Queued>(early.Outcome); // The third will say.
        Assert.Equal(["another"], Texts()); // Whoever reads gets one, whichever members are asked first.

        _bench.Deaf.Remove(2);
        var first = Other(1, mine);
        _bench.Run(first);
        var second = Other(1, theirs);
        _bench.Run(second);
        Assert.IsType<SetAddOutcome.Stored>(first.Outcome);
        Assert.IsType<SetAddOutcome.Occupied>(second.Outcome);
        _bench.Deaf.Add(1);
        Assert.Equal([mine], Texts());
    }

    /// <summary>docs/protocol.md#one-id: its sender must not learn whether the first one was read.</summary>
    [Fact]
    public void A_quiet_add_counts_another_message_of_its_id_as_it_counts_the_tombstone()
    {
        foreach (var node in (int[])[0, 1, 2])
            Keep(node, 1);
        var before = Quiet();
        _bench.Run(before);
        foreach (var node in (int[])[0, 1, 2])
            _bench.Ask(node, new ReplicaRequest.Acknowledge(_bench.Now.At, "m", [new MessageId(1)]));
        var after = Quiet();
        _bench.Run(after);

        Assert.Equal((new SetAddOutcome.Stored(), 3), (before.Outcome, before.CopyCount));
        Assert.Equal((before.Outcome, before.CopyCount), (after.Outcome, after.CopyCount));

        SetAdd Quiet() =>
            new(_bench.Now, "m", new SetMessage(new MessageId(1), Bytes("another")), CoordinatorOptions.Default, 1)
            {
                CountsAnyOfItsId = true,
            };
    }

    private void Keep(int node, uint id) =>
        _bench.Ask(node, new ReplicaRequest.Add(_bench.Now.At, "m", new MessageId(id), Bytes("hello")));

    private void RefuseRepairs(int member, bool answers, int times = int.MaxValue)
    {
        if (answers)
            _bench.Lie = (node, request) => Refuses(node, request) ? new ReplicaReply.NoSuchRow() : null;
        else
            _bench.Ignores = Refuses;

        bool Refuses(int node, ReplicaRequest request) =>
            node == member && request is ReplicaRequest.Add && times-- > 0;
    }

    private SetAdd Other(uint id, string text) =>
        new(_bench.Now, "m", new SetMessage(new MessageId(id), Bytes(text)), CoordinatorOptions.Default, 1);

    private string[] Texts()
    {
        Scan();
        return [.. _bench.Effects.OfType<Effect.Deliver>().SelectMany(deliver => deliver.Messages)
            .Select(message => System.Text.Encoding.UTF8.GetString(message.Content.Span))];
    }

    private SetAdd NewAdd(uint id) => new(_bench.Now, "m", Message(id), CoordinatorOptions.Default, 1);

    private SetScan NewScan(bool isPaced = false) =>
        new(_bench.Now, "m", CoordinatorOptions.Default with { ScanRowsMax = 7 }, 1) { IsPaced = isPaced };

    private void Pass(SetAdd add, Effect.Send send) =>
        add.On(send.To, send.Request, _bench.Ask(_bench.Ids.IndexOf(send.To), send.Request));

    private uint[] Scan()
    {
        _bench.Effects.Clear();
        var scan = NewScan();
        _bench.Run(scan);
        Assert.IsType<SetScanOutcome.Complete>(scan.Outcome);
        return [.. _bench.Effects.OfType<Effect.Deliver>().SelectMany(deliver => deliver.Messages)
            .Select(message => (uint)message.Id.Value)];
    }
}
