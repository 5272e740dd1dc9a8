using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#ring-hearsay: what one member can make others believe of a third one.</summary>
public partial class HearsayTests
{
    private const ulong Start = 1UL << MembershipState.StartBits;
    private const ulong Far = 1UL << 59;

    private static readonly Peer Self = Peers.At(0);
    private static readonly Peer Liar = Peers.At(99);

    private MembershipState _state = MembershipState.Starting(Self, 5 * Start, 0, TimeSpan.Zero);
    private ImmutableArray<MembershipEffect> _effects = [];
    private readonly List<MembershipEffect.Ping> _asked = [];
    private TimeSpan _now = TimeSpan.FromSeconds(100);

    private ulong Own => _state.Members.Own.Incarnation;

    [Fact]
    public void Nobody_drives_a_members_incarnation_to_the_largest_number()
    {
        var before = Own;
        foreach (var claim in (ulong[])[1UL << 62, 1UL << 60, before + (1UL << 33)])
        {
            Hear(Self, claim, Health.Suspect);
            Assert.Equal(before, Own);
            _now += TimeSpan.FromSeconds(2);
        }

        for (var i = 0; i < 1_000; i++) // All in one second.
            Hear(Self, Own + Start, Health.Alive);
        Assert.InRange(Own, before, before + MembershipMerge.StepMax + 1);
        Hear(Self, Own, Health.Dead);
        Assert.Equal(Health.Alive, _state.Members.Own.Health);
        for (var i = 0; i < 10; i++)
        {
            var now = Own;
            Hear(Self, now, Health.Suspect); // These may be many: an honest member must be able to refute.
            Assert.Equal(now + 1, Own);
        }
    }

    [Fact]
    public void Whoever_makes_up_other_incarnations_of_a_member_all_the_time_does_not_keep_it_from_refuting()
    {
        var believed = Own + MembershipMerge.StepMax; // What one that lies made all others believe.
        for (var i = 0; i < 100; i++)
        {
            Hear(Self, Own + (1UL << 40), Health.Alive);
            _now += TimeSpan.FromMilliseconds(10);
            Hear(Self, Own + Start, Health.Dead);
        }

        for (var i = 0; i < 2; i++) // In this probe interval or the next.
        {
            Hear(Self, Own + (1UL << 40), Health.Alive);
            Hear(Self, believed, Health.Dead);
            _now += TimeSpan.FromSeconds(1);
        }

        Assert.InRange(Own, believed + 1, believed + (2 * MembershipMerge.StepMax));
    }

    [Fact]
    public void A_restart_is_news_from_anybody_but_not_a_leap()
    {
        Say(10, 3 * Start);
        Hear(Peers.At(10), 4 * Start, Health.Left);
        Assert.Equal(Health.Left, Of(10).Health);
        Hear(Peers.At(10), 200 * Start, Health.Alive);
        Assert.Equal(200 * Start, Of(10).Incarnation);
        for (var leap = 300UL; leap < 10_000; leap += 100) // Nor many small ones.
            Hear(Peers.At(10), leap * Start, Health.Dead);
        Assert.Equal((200 * Start, Health.Alive), (Of(10).Incarnation, Of(10).Health));
        Hear(Peers.At(20), 1UL << 62, Health.Alive);
        Assert.Null(_state.Members[Peers.At(20).Node]);
    }

    [Fact]
    public void What_a_member_says_itself_wins_over_what_was_made_up_before_it_spoke()
    {
        Hear(Peers.At(10) with { Address = "wrong:1" }, Far, Health.Left);
        Assert.Equal(Health.Left, Of(10).Health);
        Say(10, 3 * Start);
        Assert.Equal((3 * Start, Health.Alive, "host10:7401"),
            (Of(10).Incarnation, Of(10).Health, Of(10).Peer.Address));
        Hear(Peers.At(10), Far, Health.Left);
        Assert.Equal(3 * Start, Of(10).Incarnation);
    }

    [Fact]
    public void A_restart_after_false_leaps_is_believed()
    {
        Say(10, 1_000 * Start); // Driven there before by others.
        Say(10, 4 * Start);
        Assert.Equal(4 * Start, Of(10).Incarnation);
        Hear(Peers.At(10), 1_000 * Start, Health.Dead);
        Assert.Equal(Health.Alive, Of(10).Health);
    }

    [Fact]
    public void An_older_word_that_comes_late_changes_nothing()
    {
        Say(10, (3 * Start) + 7);
        Say(10, (3 * Start) + 6);
        Assert.Equal(((3 * Start) + 7, (3 * Start) + 7), (Of(10).Incarnation, Of(10).Spoken));
    }

    [Fact]
    public void Whom_others_say_more_of_than_he_said_himself_is_told_so_and_can_refute()
    {
        Say(10, 3 * Start);
        Hear(Peers.At(10), (3 * Start) + 9, Health.Alive);
        Say(10, 3 * Start);
        var reply = Assert.Single(_effects.OfType<MembershipEffect.Reply>());
        Assert.Contains(reply.Gossip, told => told.Peer == Peers.At(10) && told.Incarnation == (3 * Start) + 9);
    }

    [Theory, InlineData(Health.Suspect), InlineData(Health.Leaving), InlineData(Health.Dead), InlineData(Health.Left)]
    public void Whom_others_doubt_is_asked_at_once_and_keeps_its_tiles_while_it_answers(Health health)
    {
        Say(10, 3 * Start);
        for (var i = 0UL; i < 120; i++)
        {
            Hear(Peers.At(10), (3 * Start) + i, Health.Suspect);
            Hear(Peers.At(10), (3 * Start) + i, health);
            Assert.Equal(Peers.At(10), Assert.Single(_asked).To);
            AssertKeeps(10);
            Answer(3 * Start); // It has not heard of the doubt yet, or somebody keeps it from refuting.
            AssertKeeps(10);
            _now += TimeSpan.FromSeconds(1);
            Step(new MembershipInput.ProbeDue(_now, []));
            Answer(3 * Start);
        }
    }

    [Fact]
    public void Nobody_is_replaced_as_long_as_he_answers_here_however_long_others_call_him_dead()
    {
        Say(10, 3 * Start);
        Hear(Peers.At(10), 3 * Start, Health.Suspect);
        for (var i = 0; i < 120; i++)
        {
            _now += TimeSpan.FromSeconds(1);
            Step(new MembershipInput.ProbeDue(_now, []));
            Answer(3 * Start);
            Assert.Equal(Health.Suspect, Of(10).Health);
            AssertKeeps(10);
        }
    }

    [Theory, InlineData(Health.Leaving), InlineData(Health.Left)]
    public void Who_says_itself_that_it_goes_is_believed_at_once(Health health)
    {
        Say(10, 3 * Start);
        Hear(Peers.At(10), (3 * Start) + 1, health);
        AssertKeeps(10);
        Answer((3 * Start) + 1, health);
        Assert.Equal((health is Health.Leaving, health is Health.Left), (Of(10).IsUnwanted, Of(10).HasLeft));
        Assert.NotEqual(Peers.At(10), Keeper(10));
        Hear(Peers.At(10), (3 * Start) + 2, Health.Left); // What others say of it then is likely.
        Assert.NotEqual(Peers.At(10), Keeper(10));
        Say(10, 4 * Start);
        AssertKeeps(10);
    }

    [Fact]
    public void Who_has_left_as_others_say_is_replaced_when_it_was_silent_for_the_placement_time()
    {
        Say(10, 3 * Start);
        Hear(Peers.At(10), (3 * Start) + 1, Health.Left);
        FailProbes(10);
        for (var i = 0; i < 14; i++)
        {
            _now += TimeSpan.FromSeconds(1);
            AssertKeeps(10);
            Step(new MembershipInput.ProbeDue(_now, []));
            FailProbes(10); // It is asked now and then meanwhile.
        }

        Assert.Contains(_asked, ping => ping.To == Peers.At(10));
        _now += TimeSpan.FromSeconds(1);
        Step(new MembershipInput.ProbeDue(_now, []));
        Assert.True(Of(10).HasLeft);
        Assert.NotEqual(Peers.At(10), Keeper(10));
    }

    [Fact]
    public void Doubts_about_many_members_make_few_probes_at_once()
    {
        foreach (var at in Enumerable.Range(10, 50))
            Say(at, 3 * Start);
        foreach (var at in Enumerable.Range(10, 50))
            Hear(Peers.At((UInt128)at), 3 * Start, Health.Dead);
        Assert.Equal(8, _asked.Count);
        var asked = new HashSet<Peer>();
        for (var i = 0; i < 7; i++) // The rest with the next beats.
        {
            asked.UnionWith(_asked.Select(ping => ping.To).Where(peer => peer != Liar));
            Answer(4 * Start);
            _now += TimeSpan.FromSeconds(1);
            Step(new MembershipInput.ProbeDue(_now, []));
        }

        Assert.Equal(50, asked.Count);
    }

    [Fact]
    public void Who_only_answers_somewhere_and_calls_itself_a_member_is_not_that_member()
    {
        Say(10, 3 * Start);
        Step(new MembershipInput.Acked(_now, 0, new(Peers.At(10), 2_000 * Start, Health.Left, 0), []));
        Assert.Equal((3 * Start, Health.Alive), (Of(10).Incarnation, Of(10).Health));
    }

    /// <summary>docs/protocol.md, "Ring: failure detector": it is quarantined, also if it speaks before it hears that
    /// it was dead here.</summary>
    [Fact]
    public void Who_was_dead_to_this_nodes_own_probes_and_speaks_first_holds_no_tiles_at_once()
    {
        Say(10, Start);
        _now += TimeSpan.FromMinutes(2);
        Assert.True(Membership.MayHoldTiles(Of(10), _now, _state.Options.Quarantine));
        _state = _state with
        {
            Members = _state.Members.With(Of(10) with { Health = Health.Dead, MissedAt = _now, IsReplaceable = true }),
        };
        _now += TimeSpan.FromSeconds(5);
        Say(10, Start);
        Say(10, Start + 1);
        Assert.Equal(Health.Alive, Of(10).Health);
        Assert.False(Membership.MayHoldTiles(Of(10), _now, _state.Options.Quarantine));
    }

    [Fact]
    public void A_record_out_of_range_is_passed_over_and_the_others_are_read()
    {
        var records = new[] { 1UL << 63, Start }.Select((incarnation, i) =>
            new Member(Peers.At((UInt128)i), incarnation, Health.Alive, 0).ToWire());
        Assert.Equal(Peers.At(1), Assert.Single(records.ToCore()).Peer);
    }

    [Fact]
    public void News_that_somebody_makes_up_does_not_fill_the_log()
    {
        var news = new NewsBudget();
        var (a, b) = (Peers.At(1).Node, Peers.At(2).Node);
        Assert.Equal(NewsBudget.OfMemberMax, Enumerable.Range(0, 5_000).Count(i => news.Allows(a, i, out _)));
        Assert.True(news.Allows(b, 5_000, out var unsaid));
        Assert.Equal(5_000 - NewsBudget.OfMemberMax, unsaid);
        Assert.InRange(
            Enumerable.Range(0, 5_000).Count(i => news.Allows(new NodeId(7, (ulong)i), 5_001, out _)),
            NewsBudget.InAllMax / 2, NewsBudget.InAllMax);
    }

    private void Say(int at, ulong incarnation) => Step(new MembershipInput.Pinged(
        _now, new(Peers.At((UInt128)at), incarnation, Health.Alive, 0), [], false, 0));

    private void Hear(Peer about, ulong incarnation, Health health) => Step(new MembershipInput.Pinged(
        _now, new(Liar, Start, Health.Alive, 0), [new(about, incarnation, health, 0)], false, 0));

    private Member Of(int at) => _state.Members[Peers.At((UInt128)at).Node]!;

    private void AssertKeeps(int at)
    {
        Assert.False(Of(at).IsUnwanted);
        Assert.False(Of(at).HasLeft);
        Assert.Equal(Peers.At((UInt128)at), Keeper(at));
    }

    /// <summary>Who should keep a tile that a member keeps now.</summary>
    private Peer Keeper(int at) => _state.Members.Placement(
        new RingId((UInt128)at), 1, _now, _state.Options.Quarantine, [Peers.At((UInt128)at).Node])[0];

    private void FailProbes(int at)
    {
        foreach (var probe in _state.Probes.Where(p => p.Value.Target == Peers.At((UInt128)at)).Select(p => p.Key))
        {
            Step(new MembershipInput.Missed(_now, probe, true));
            foreach (var _ in _effects.OfType<MembershipEffect.PingFor>().ToList())
                Step(new MembershipInput.HelperSaid(_now, probe, false));
        }
    }

    /// <summary>To every probe on its way.</summary>
    private void Answer(ulong incarnation, Health health = Health.Alive)
    {
        var asked = _asked.ToList();
        _asked.Clear();
        foreach (var ping in asked)
            Step(new MembershipInput.Acked(_now, ping.Probe, new(ping.To, incarnation, health, 0), []));
    }

    private void Step(MembershipInput input)
    {
        (_state, _effects) = MembershipProtocol.Step(_state, input, new Prng(1));
        _asked.AddRange(_effects.OfType<MembershipEffect.Ping>());
    }
}
