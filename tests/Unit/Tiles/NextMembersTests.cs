using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#next-members: one member of a tile lies about whom it has voted for, or proposes whom no
/// honest one would.</summary>
public sealed class NextMembersTests
{
    private const int Liar = 1;

    private static readonly CoordinatorOptions Options = CoordinatorOptions.Default with { Copies = 3 };

    private readonly Bench _bench = new();
    private readonly NextMembers _nextMembers;
    private MembershipState _ring;
    private TimeSpan _now;
    private bool _isLarge;

    public NextMembersTests()
    {
        _nextMembers = new(() => _ring!, () => _now, Options, StewardOptions.Default, _ => _isLarge);
        _ring = MembershipState.Starting(PeerOf(0), MembershipState.FirstIncarnation(1), 0, TimeSpan.Zero);
        for (var node = 1; node < 4; node++) // Nobody knows the fifth one.
            Say(node, Health.Alive);
    }

    private TileConfiguration Now => _bench.Now;

    public static TheoryData<int[]> MadeUpVotes => [[Liar], [Liar, 4, 3], [0, 1, 2, 3]];

    [Theory]
    [MemberData(nameof(MadeUpVotes))]
    public void A_vote_that_one_member_makes_up_is_not_adopted(int[] made)
    {
        _bench.Lie = SaysItVotedFor(Next(made), Liar);
        var change = Run(0, 2, 3);
        Assert.Equal(Next(0, 2, 3), Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome).Next);
        AssertNobodyIsAskedFor(Next(made));
    }

    [Theory]
    [MemberData(nameof(MadeUpVotes))]
    public void Without_the_honest_third_member_nothing_is_decided(int[] made)
    {
        _bench.Deaf.Add(2);
        _bench.Lie = SaysItVotedFor(Next(made), Liar);
        Assert.IsType<EpochChangeOutcome.Unavailable>(Run(0, 1, 3).Outcome);
        AssertNobodyIsAskedFor(Next(made));
    }

    [Fact]
    public void A_vote_that_two_members_name_counts_whoever_this_node_knows()
    {
        var vote = Next(1, 2, 4);
        _bench.Lie = SaysItVotedFor(vote, 1, 2);
        Assert.Equal(vote, Assert.IsType<EpochChangeOutcome.Decided>(Run(0, 1, 3).Outcome).Next);
    }

    [Fact]
    public void Both_who_name_a_vote_count_for_it()
    {
        Say(3, Health.Left);
        _bench.Ignores = (node, request) => node == 0 && request is ReplicaRequest.Seal;
        _bench.Lie = SaysItVotedFor(Next(0, 1, 3), 1, 2);
        Assert.Equal(Next(0, 1, 3), Assert.IsType<EpochChangeOutcome.Decided>(Run(0, 1, 2).Outcome).Next);
    }

    /// <summary>docs/protocol.md#ring-hearsay: neither that it lives, nor that it does not.</summary>
    [Fact]
    public void What_others_say_of_a_newcomer_decides_nothing()
    {
        Hear(3, 2, Health.Dead);
        Assert.True(MayBe(Liar, 0, 1, 3));
        Say(3, Health.Left, incarnation: 3);
        Hear(3, 4, Health.Alive);
        Assert.Equal(Health.Alive, _ring.Members[_bench.Ids[3]]!.Health);
        Assert.False(MayBe(Liar, 0, 1, 3));
        Say(3, Health.Alive, incarnation: 5);
        Assert.True(MayBe(Liar, 0, 1, 3));
    }

    /// <summary>It may have been decided, and nobody else can say.</summary>
    [Fact]
    public void A_vote_of_the_only_other_member_that_is_left_counts_if_a_majority_stays()
    {
        Say(2, Health.Left);
        Say(3, Health.Left);
        _bench.Deaf.Add(2);
        _bench.Lie = SaysItVotedFor(Next(0, 1, 3), 1);
        Assert.IsType<EpochChangeOutcome.Unavailable>(Run(0, 1, 2).Outcome); // It may be a restart.
        _now = TimeSpan.FromMinutes(10);
        Assert.Equal(Next(0, 1, 3), Assert.IsType<EpochChangeOutcome.Decided>(Run(0, 1, 2).Outcome).Next);
        Assert.False(MayBe(1, 1, 3));
    }

    /// <summary>Power came back at both who are left: they remember nothing of who was to come, and one has voted.
    /// </summary>
    [Fact]
    public void A_vote_for_somebody_who_never_came_back_does_not_stop_two_that_restarted()
    {
        _bench.Ignores = (node, request) => node != 0 && request is ReplicaRequest.Decide;
        Assert.IsType<EpochChangeOutcome.Unavailable>(Run(0, 1, 3).Outcome);
        _bench.Ignores = null;
        _ring = MembershipState.Starting(PeerOf(0), MembershipState.FirstIncarnation(2), 0, TimeSpan.Zero);
        _bench.Deaf.Add(2);
        Say(1, Health.Alive);
        Assert.IsType<EpochChangeOutcome.Unavailable>(Run(0, 1, 2).Outcome);
        Hear(2, 2, Health.Alive); // That others say it lives must not make them wait longer.
        _now = TimeSpan.FromMinutes(10);
        Assert.Equal(Next(0, 1, 3), Assert.IsType<EpochChangeOutcome.Decided>(Run(0, 1, 2).Outcome).Next);
    }

    /// <summary>Only one of the two can reach who is to come, so the other one never votes for it; and it may be gone
    /// for good by then.</summary>
    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void A_vote_that_cannot_have_been_decided_holds_up_nobody(int members)
    {
        var bench = new Bench(members: members);
        var next = bench.Now.Next([bench.Ids[0], .. bench.Ids[2..members], bench.Ids[4]]);
        bench.Ignores = (node, request) => node != 0 && request is ReplicaRequest.Decide;
        Assert.IsType<EpochChangeOutcome.Unavailable>(Change(next.Members, static (_, _) => true).Outcome);
        Assert.Equal(next, bench.Replicas[0].Header(Bench.Tile)!.NextAccepted);
        bench.Ignores = null;
        if (members == 4)
            bench.Deaf.Add(3); // Three of four promise, and two of them name nothing.
        var change = Change(bench.Now.Members, (_, voted) => voted != next);
        Assert.Equal(
            bench.Now.Next(bench.Now.Members), Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome).Next);

        EpochChange Change(ImmutableArray<NodeId> wanted, Func<NodeId?, TileConfiguration, bool> mayBe)
        {
            var change = new EpochChange(bench.Now, wanted, bench.Ballots, Options, 1)
            {
                MayBeNext = mayBe,
                TakesOver = true,
            };
            bench.Run(change);
            return change;
        }
    }

    /// <summary>A majority is left with whoever proposes it only; the exception is for votes that exist.</summary>
    [Fact]
    public void Nobody_proposes_by_itself_who_is_gone_or_unknown_while_a_member_is_dead()
    {
        Say(2, Health.Left);
        _now = TimeSpan.FromMinutes(10);
        Assert.True(MayBe(Liar, 0, 1, 4));
        Assert.False(_nextMembers.MayBe(null, Now, Next(0, 1, 4)));
        Assert.True(_nextMembers.MayBe(null, Now, Next(0, 1, 3)));
    }

    [Fact]
    public void The_only_member_goes_on_with_its_own_vote()
    {
        var bench = new Bench(members: 1);
        var next = bench.Now.Next([bench.Ids[0], bench.Ids[4]]);
        bench.Deaf.Add(4);
        bench.Ask(0, new ReplicaRequest.Decide(bench.Now.At, bench.Ballots.Next(1, default), next));
        var change = new EpochChange(bench.Now, bench.Now.Members, bench.Ballots, Options, 1)
        {
            MayBeNext = (by, next) => _nextMembers.MayBe(by, bench.Now, next),
            TakesOver = true,
        };
        bench.Run(change);
        Assert.Equal(next, Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome).Next);
    }

    /// <summary>Its newcomer goes away before anybody else has voted.</summary>
    [Fact]
    public void An_own_vote_that_others_would_refuse_now_binds_nobody()
    {
        _bench.Ignores = (node, request) => node != 0 && request is ReplicaRequest.Decide;
        Assert.IsType<EpochChangeOutcome.Unavailable>(Run(0, 1, 3).Outcome);
        Assert.Equal(Next(0, 1, 3), _bench.Replicas[0].Header(Bench.Tile)!.NextAccepted);
        Say(3, Health.Left);
        _bench.Ignores = null;
        Assert.Equal(Next(0, 1, 2), Assert.IsType<EpochChangeOutcome.Decided>(Run(0, 1, 2).Outcome).Next);
    }

    [Fact]
    public void A_newcomer_that_has_gone_since_it_was_chosen_is_not_voted_for()
    {
        var change = new EpochChange(Now, Next(0, 1, 3).Members, _bench.Ballots, Options, 1)
        {
            MayBeNext = (by, next) =>
            {
                if (_bench.Sent.Exists(sent => sent.Request is ReplicaRequest.Seal))
                    Say(3, Health.Left);
                return _nextMembers.MayBe(by, Now, next);
            },
        };
        _bench.Run(change);
        Assert.Equal(Next(0, 1, 2), Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome).Next);
    }

    [Fact]
    public void A_tile_goes_to_as_many_as_there_are_copies_that_have_spoken_here_and_are_not_gone()
    {
        Assert.True(MayBe(Liar, 0, 1, 3));
        Assert.True(MayBe(Liar, 0, 2, 3));
        Assert.False(MayBe(Liar, 1));
        Assert.False(MayBe(Liar, 0, 1));
        Assert.False(MayBe(Liar, 0, 1, 2, 3));
        Assert.False(MayBe(Liar, 0, 1, 4));
        Say(3, Health.Leaving);
        Assert.True(MayBe(Liar, 0, 1, 3));
        Say(3, Health.Left);
        Assert.False(MayBe(Liar, 0, 1, 3));
    }

    /// <summary>Whoever promises a ballot has accepted none above it.</summary>
    [Fact]
    public void A_vote_with_a_ballot_above_the_one_that_is_promised_counts_for_nothing()
    {
        _bench.Ignores = (node, request) => node != 0 && request is ReplicaRequest.Decide;
        Run(0, 2, 3); // The first member has voted.
        _bench.Ignores = null;
        var made = Next(1, 2, 3);
        var ballot = new BallotSource(_bench.Ids[Liar], 9).Next(Now.Epoch, new(1, 99, default, 0));
        _bench.Lie = (node, request) => node == Liar && request is ReplicaRequest.Seal
            ? new ReplicaReply.SealGranted(ballot, made)
            : null;
        Assert.Equal(Next(0, 2, 3), Assert.IsType<EpochChangeOutcome.Decided>(Run(0, 1, 2).Outcome).Next);
        AssertNobodyIsAskedFor(made);
    }

    /// <summary>It would end the epoch, find that it may not, and decide the same members again, every time.</summary>
    [Fact]
    public void An_epoch_is_not_ended_for_newcomers_that_this_node_would_not_vote_for()
    {
        var change = new EpochChange(Now, Next(0, 1, 4).Members, _bench.Ballots, Options, 1)
        {
            MayBeNext = (by, next) => _nextMembers.MayBe(by, Now, next),
        };
        _bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Unavailable>(change.Outcome);
        Assert.DoesNotContain(_bench.Sent, sent => sent.Request is ReplicaRequest.Seal);
    }

    [Fact]
    public void Nobody_votes_for_another_history_of_cuts_than_the_one_that_is_known()
    {
        var part = _bench.Now with { Tile = Bench.Tile.First, Epoch = 5, Splits = [3] };
        var next = part.Next([_bench.Ids[0], _bench.Ids[Liar], _bench.Ids[3]]);
        Assert.True(_nextMembers.MayBe(_bench.Ids[Liar], part, next));
        foreach (var end in (ulong[])[2, 4, 6])
        {
            var made = next with { Splits = [end] };
            Assert.False(_nextMembers.MayBe(_bench.Ids[Liar], part, made));
            Assert.False(made.Follows(part));
        }
    }

    [Fact]
    public void A_replica_refuses_to_vote_for_what_does_not_follow()
    {
        var made = Next(0, 1, 3) with { Tile = Bench.Tile.First, Splits = [Now.Epoch] }; // A cut changes no members.
        var ballot = _bench.Ballots.Next(Now.Epoch, default);
        Assert.IsType<ReplicaReply.Nack>(_bench.Ask(2, new ReplicaRequest.Decide(Now.At, ballot, made)));
        var cut = made with { Members = Now.Members };
        Assert.IsType<ReplicaReply.Accepted>(_bench.Ask(2, new ReplicaRequest.Decide(Now.At, ballot, cut)));
    }

    /// <summary>Tiles are never merged again, so whoever could cut them could do so without end.</summary>
    [Fact]
    public void A_tile_is_cut_only_if_this_node_finds_it_nearly_too_wide_or_too_large_as_well()
    {
        // Four nodes have spoken here: 64 tiles would be enough, 128 are the most that others may find too few.
        Assert.True(MayBeCut(new TileId(6, 0x15)));
        Assert.False(MayBeCut(new TileId(7, 0x15)));
        _isLarge = true;
        Assert.True(MayBeCut(new TileId(7, 0x15)));
    }

    private bool MayBeCut(TileId tile)
    {
        var current = Now with { Tile = tile };
        var cut = current.Next(current.Members) with { Tile = tile.First, Splits = [current.Epoch] };
        return _nextMembers.MayBe(_bench.Ids[Liar], current, cut);
    }

    private EpochChange Run(params int[] wanted)
    {
        var change = new EpochChange(Now, Next(wanted).Members, _bench.Ballots, Options, 1)
        {
            MayBeNext = (by, next) => _nextMembers.MayBe(by, Now, next),
            TakesOver = true,
        };
        _bench.Run(change);
        return change;
    }

    private bool MayBe(int by, params int[] next) =>
        _nextMembers.MayBe(_bench.Ids[by], Now, Next(next));

    private void AssertNobodyIsAskedFor(TileConfiguration made) => Assert.DoesNotContain(
        _bench.Sent, sent => sent.Request is ReplicaRequest.Decide decide && decide.Next == made);

    private Func<int, ReplicaRequest, ReplicaReply?> SaysItVotedFor(TileConfiguration vote, params int[] liars)
    {
        var ballot = new BallotSource(_bench.Ids[0], 0).Next(Now.Epoch, default); // Below every one of the tests.
        return (node, request) => liars.Contains(node) && request is ReplicaRequest.Seal
            ? new ReplicaReply.SealGranted(ballot, vote)
            : null;
    }

    private TileConfiguration Next(params int[] nodes) =>
        Now.Next([.. nodes.Select(node => _bench.Ids[node])]);

    private void Say(int node, Health health, ulong incarnation = 1) =>
        Ping(new(PeerOf(node), incarnation, health, 0), []);

    private void Hear(int node, ulong incarnation, Health health) => Ping(
        new(PeerOf(Liar), 1, Health.Alive, 0), [new(PeerOf(node), incarnation, health, 0)]);

    private void Ping(Member from, ImmutableArray<Member> gossip) => _ring = MembershipProtocol.Step(
        _ring, new MembershipInput.Pinged(TimeSpan.Zero, from, gossip, false, 0), new Prng(1)).State;

    private Peer PeerOf(int node) =>
        new(_bench.Ids[node], new RingId((UInt128)node), $"n{node}", $"host{node}:7401");
}
