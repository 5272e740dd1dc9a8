using System.Collections.Immutable;
using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md, "Ring: failure detector" and "Ring: gossip".</summary>
public class FailureDetectorTests
{
    private readonly Prng _random = new(1);
    private MembershipState _state =
        MembershipState.Starting(Peers.At(0), MembershipState.FirstIncarnation(1), 0, TimeSpan.Zero);
    private ImmutableArray<MembershipEffect> _effects = [];
    private TimeSpan _now;

    /// <summary>This node's own miss is one voice, two if nobody listens there; so one helper that lies keeps nobody
    /// alive.</summary>
    [Theory]
    [InlineData(new[] { 1, 1, 0 }, false, Health.Alive)]
    [InlineData(new[] { 0, 1, 1 }, false, Health.Alive)]
    [InlineData(new[] { 1, -1, -1 }, false, Health.Alive)]
    [InlineData(new[] { 1, 0, -1 }, false, Health.Suspect)]
    [InlineData(new[] { 0, 1, 0 }, false, Health.Suspect)]
    [InlineData(new[] { 1, 1, 1 }, true, Health.Alive)]
    [InlineData(new[] { 1, -1, -1 }, true, Health.Suspect)]
    public void A_missed_answer_makes_three_others_try_and_the_more_voices_count(
        int[] said, bool refused, Health expected)
    {
        Know(10, 20, 30, 40, 50);
        var probe = ProbeOf(10);
        Step(new MembershipInput.Missed(_now, probe, refused));
        var helpers = _effects.OfType<MembershipEffect.PingFor>().ToList();
        Assert.Equal(3, helpers.Select(help => help.Helper).Distinct().Count());
        Assert.DoesNotContain(helpers, help => help.Helper == Peers.At(10));
        foreach (var answer in said)
            Step(new MembershipInput.HelperSaid(_now, probe, answer < 0 ? null : answer > 0));
        Assert.Equal(expected, HealthOf(10));
        Assert.Equal(expected is Health.Alive ? 1 : 0, _state.Strain);
    }

    /// <summary>One that refuses a probe in words, as others make this node ask too often, is there.</summary>
    [Fact]
    public void A_member_that_says_that_it_is_busy_is_not_silent_and_gets_the_full_time_again()
    {
        Know(10, 20, 30);
        Step(new MembershipInput.Busy(_now, ProbeOf(10)));
        Assert.Empty(_effects);
        Assert.Equal(Health.Alive, HealthOf(10));
        Doubt(10, helpers: 2, says: false);
        for (var i = 0; i < 40; i++)
            Beat();
        Step(new MembershipInput.Busy(_now, ProbeOf(10)));
        for (var i = 0; i < 40; i++)
            Beat();
        Assert.Equal(Health.Suspect, HealthOf(10));
        for (var i = 0; i < 5; i++)
            Beat();
        Assert.Equal(Health.Dead, HealthOf(10));
    }

    [Theory]
    [InlineData(false, true, 15)]
    [InlineData(false, false, 45)]
    [InlineData(true, true, 120)]
    [InlineData(true, false, 120)]
    public void A_member_that_nobody_reaches_is_suspect_and_dead_later_when_it_is_only_silent_or_far_away(
        bool farApart, bool refuses, int seconds)
    {
        if (farApart)
            _state = MembershipState.Starting(
                Peers.At(0), MembershipState.FirstIncarnation(1), 0, TimeSpan.Zero, MembershipOptions.Wan);
        Know(10, 20, 30);
        Doubt(10, helpers: 2, says: false, refuses);
        Assert.Equal(Health.Suspect, HealthOf(10));
        for (var i = 1; i < seconds; i++)
            Beat();
        Assert.Equal(Health.Suspect, HealthOf(10));
        Beat();
        Assert.Equal(Health.Dead, HealthOf(10));
    }

    [Fact]
    public void A_beat_that_comes_thirty_seconds_late_is_an_own_pause_and_kills_no_suspect()
    {
        Know(10, 20, 30);
        Step(new MembershipInput.ProbeDue(_now, []));
        Doubt(10, helpers: 2, says: false, refuses: true);
        _now += TimeSpan.FromSeconds(30);
        Step(new MembershipInput.ProbeDue(_now, []));
        Assert.Equal(Health.Suspect, HealthOf(10));
    }

    [Fact]
    public void A_death_that_another_tells_moves_tiles_only_when_an_own_probe_agrees()
    {
        Know(10, 20, 30);
        Step(new MembershipInput.Pinged(_now, Alive(20, 1), [Alive(10, 1) with { Health = Health.Dead }], false, 0));
        for (var i = 0; i < 60; i++)
        {
            _now += TimeSpan.FromSeconds(1);
            Step(new MembershipInput.ProbeDue(_now, [])); // No result: it is not known here whether it is there.
        }

        AssertGone(10, false);
        Miss(10, refuses: true);
        for (var i = 0; i < 14; i++)
            Beat();
        AssertGone(10, false);
        Beat();
        AssertGone(10, true);
    }

    /// <summary>docs/protocol.md#ring-hearsay: within the placement time after a restart, too.</summary>
    [Fact]
    public void Who_is_dead_as_others_say_and_never_spoke_here_is_asked_with_the_next_beat()
    {
        Know(10, 20, 30);
        Step(new MembershipInput.Pinged(_now, Alive(20, 1), [.. Enumerable.Range(40, 30).Select(at =>
            Alive(at, 1) with { Health = (Health)(at % 2 == 0 ? Health.Dead : Health.Left) })], false, 0));
        for (var i = 0; i < 5; i++)
        {
            Beat();
            foreach (var ping in _effects.OfType<MembershipEffect.Ping>().ToList())
                if (ping.To.Position.Value >= 40)
                    FailAll(ping.Probe, refuses: true);
        }

        Assert.All(Enumerable.Range(40, 30), at => Assert.NotNull(MemberAt(at).MissedAt));
        Assert.All(Enumerable.Range(40, 30), at => AssertGone(at, false));
        for (var i = 0; i < 15; i++)
            Beat();
        Assert.All(Enumerable.Range(40, 30), at => Assert.Equal(at % 2 != 0, MemberAt(at).HasLeft));
        Assert.All(Enumerable.Range(40, 30), at => AssertGone(at, true));
    }

    [Fact]
    public void Who_begins_to_leave_says_so_to_the_nearest_members_at_once()
    {
        Know(10, 20);
        Step(new MembershipInput.LeaveBegun(_now));
        var pings = _effects.OfType<MembershipEffect.Ping>().ToList();
        Assert.Equal([Peers.At(10), Peers.At(20)], pings.Select(ping => ping.To).OrderBy(peer => peer.Position));
        Assert.All(pings, ping => Assert.Equal(Health.Leaving, ping.Self.Health));
    }

    [Theory]
    [InlineData(14, true)]
    [InlineData(15, false)]
    public void Who_left_and_is_back_within_the_quarantine_time_is_no_newcomer(int seconds, bool settled)
    {
        Know(10, 20);
        Step(new MembershipInput.Pinged(_now, Alive(10, 2) with { Health = Health.Left }, [], false, 0));
        _now += TimeSpan.FromSeconds(seconds);
        Step(new MembershipInput.Pinged(_now, Alive(10, 3), [], false, 0));
        var member = _state.Members[Peers.At(10).Node]!;
        Assert.Equal(settled, Membership.MayHoldTiles(member, _now, _state.Options.Quarantine));
    }

    [Fact]
    public void A_suspicion_that_no_second_member_shares_moves_no_tiles()
    {
        Know(10, 20, 30);
        Doubt(10, helpers: 2, says: null);
        _now += TimeSpan.FromMinutes(10);
        Step(new MembershipInput.ProbeDue(_now, []));
        Assert.Equal(Health.Suspect, HealthOf(10));
    }

    [Fact]
    public void A_pause_of_this_node_makes_nobody_suspect_and_gives_suspects_their_full_time_again()
    {
        Know(10, 20, 30);
        Doubt(20, helpers: 2, says: false);
        var late = ProbeOf(10);
        _now += TimeSpan.FromSeconds(30);
        Step(new MembershipInput.Paused(_now));
        Step(new MembershipInput.Missed(_now, late));
        Step(new MembershipInput.ProbeDue(_now, []));
        Assert.Equal((Health.Alive, Health.Suspect), (HealthOf(10), HealthOf(20)));
        var early = ProbeOf(30);
        Step(new MembershipInput.Missed(_now, early));
        Assert.Equal(Health.Alive, HealthOf(30));
    }

    [Fact]
    public void A_ping_to_a_suspect_tells_it_so_and_its_refutation_brings_it_back()
    {
        Know(10, 20);
        Doubt(10, helpers: 1, says: false);
        Step(new MembershipInput.ProbeDue(_now, []));
        var ping = _effects.OfType<MembershipEffect.Ping>().Single(ping => ping.To == Peers.At(10));
        Assert.Contains(ping.Gossip, record => record.Peer == Peers.At(10) && record.Health is Health.Suspect);
        Step(new MembershipInput.Acked(_now, ping.Probe, Alive(10, incarnation: 2), []));
        Assert.Contains(_effects, effect => effect is MembershipEffect.Happened(MembershipEvent.AliveAgain));
        Assert.Contains(_effects, effect => effect is MembershipEffect.CacheChanged);
    }

    [Fact]
    public void A_probe_whose_result_is_lost_is_forgotten_and_the_member_probed_again()
    {
        Know(10, 20, 30);
        ProbeOf(10);
        var again = 0;
        for (var i = 0; i < 5; i++)
        {
            _now += TimeSpan.FromSeconds(1);
            Step(new MembershipInput.ProbeDue(_now, [Peers.At(10)]));
            again += _effects.OfType<MembershipEffect.Ping>().Count(ping => ping.To == Peers.At(10));
        }

        Assert.Equal(1, again);
        var probe = _state.Probes.Single(probe => probe.Value.Target == Peers.At(10)).Key;
        Step(new MembershipInput.Missed(_now, probe));
        Assert.Equal(2, _effects.OfType<MembershipEffect.PingFor>().Count()); // They never say anything.
        for (var i = 0; i < 5; i++)
            Beat();
        Assert.DoesNotContain(probe, _state.Probes.Keys);
        Assert.Equal(Health.Alive, HealthOf(10)); // And nothing is said of it.
    }

    [Fact]
    public void Every_member_is_probed_once_before_anybody_again()
    {
        Know(10, 20, 30, 40, 50);
        var probed = new List<Peer>();
        for (var i = 0; i < 10; i++)
        {
            _now += TimeSpan.FromSeconds(1);
            Step(new MembershipInput.ProbeDue(_now, []));
            foreach (var ping in _effects.OfType<MembershipEffect.Ping>().ToList())
            {
                probed.Add(ping.To);
                Step(new MembershipInput.Acked(_now, ping.Probe, Alive((int)ping.To.Position.Value, 1), []));
            }
        }

        Assert.Equal(5, probed.Take(5).Distinct().Count());
        Assert.Equal(5, probed.Skip(5).Distinct().Count());
    }

    [Fact]
    public void A_change_is_told_on_three_times_log2_N_times_and_no_more()
    {
        Know(10, 20, 30);
        var told = 0;
        for (var i = 0; i < 100; i++)
        {
            Step(new MembershipInput.Pinged(_now, Alive(20, 1), [], false, 0));
            var reply = Assert.IsType<MembershipEffect.Reply>(_effects[^1]);
            told += reply.Gossip.Count(record => record.Peer == Peers.At(10));
        }

        Assert.Equal(9, 3 + told); // N = 4: 3 * ceil(log2 5); the first three were answers in Know.
    }

    [Fact]
    public void Another_digest_or_a_wish_for_all_is_answered_with_every_record()
    {
        Know(10, 20, 30);
        Step(new MembershipInput.Pinged(_now, Alive(20, 1), [], WantAll: true, 0));
        Assert.Equal(4, Assert.IsType<MembershipEffect.Reply>(_effects[^1]).Gossip.Length);
        Step(new MembershipInput.Pinged(_now, Alive(20, 1), [], false, _state.Members.Digest + 1));
        Assert.Equal(4, Assert.IsType<MembershipEffect.Reply>(_effects[^1]).Gossip.Length);
    }

    [Fact]
    public void A_hint_is_probed_and_not_believed()
    {
        Step(new MembershipInput.HeardOf(_now, Peers.At(10)));
        Assert.Equal(Peers.At(10), Assert.IsType<MembershipEffect.Ping>(Assert.Single(_effects)).To);
        Assert.Null(_state.Members[Peers.At(10).Node]);
        Step(new MembershipInput.HeardOf(_now, Peers.At(10)));
        Assert.Empty(_effects);
    }

    [Fact]
    public void Founders_count_before_anybody_heard_them_and_nobody_is_reachable_before_the_first_whole_cache()
    {
        Step(new MembershipInput.Founded(_now, Peers.All(0, 10, 20)));
        Assert.Equal(3, _state.ForRing().Count);
        Step(new MembershipInput.Pinged(_now, Alive(10, 1), [], false, 0));
        Assert.Empty(_state.ForRing().Live);
        var probe = ProbeOf(10);
        Step(new MembershipInput.Acked(_now, probe, Alive(10, 1), []));
        Assert.Equal(Peers.At(10), Assert.Single(_state.ForRing().Live));
    }

    [Fact]
    public void A_node_that_goes_tells_its_nearest_members()
    {
        Know(10, 20, 30);
        Step(new MembershipInput.LeaveBegun(_now));
        Step(new MembershipInput.LeaveDone(_now));
        var pings = _effects.OfType<MembershipEffect.Ping>().ToList();
        Assert.Equal(3, pings.Count);
        Assert.All(pings, ping => Assert.Equal(Health.Left, ping.Self.Health));
    }

    private void Step(MembershipInput input) => (_state, _effects) = MembershipProtocol.Step(_state, input, _random);

    private void Know(params int[] positions) => Array.ForEach(
        positions, position => Step(new MembershipInput.Pinged(_now, Alive(position, 1), [], false, 0)));

    private ulong ProbeOf(int position)
    {
        Step(new MembershipInput.ProbeDue(_now, [Peers.At((UInt128)position)]));
        return _state.Probes.Single(probe => probe.Value.Target == Peers.At((UInt128)position)).Key;
    }

    private void Beat()
    {
        _now += TimeSpan.FromSeconds(1);
        Step(new MembershipInput.ProbeDue(_now, []));
    }

    private void AssertGone(int position, bool isGone)
    {
        var keepers = Peers.All(position).Select(peer => peer.Node).ToImmutableArray();
        Assert.Equal(isGone && MemberAt(position).Health is not Health.Left, MemberAt(position).IsUnwanted);
        Assert.Equal(isGone, _state.Members.Placement(
            Peers.At((UInt128)position).Position, 1, _now, _state.Options.Quarantine, keepers)[0].Node != keepers[0]);
    }

    private Member MemberAt(int position) => _state.Members[Peers.At((UInt128)position).Node]!;

    private void Miss(int position, bool refuses)
    {
        var probe = _state.Probes.FirstOrDefault(probe => probe.Value.Target == Peers.At((UInt128)position)).Key;
        FailAll(probe == 0 ? ProbeOf(position) : probe, refuses);
    }

    private void FailAll(ulong probe, bool refuses)
    {
        Step(new MembershipInput.Missed(_now, probe, refuses));
        for (var i = 0; i < 3; i++)
            Step(new MembershipInput.HelperSaid(_now, probe, false));
    }

    private void Doubt(int position, int helpers, bool? says, bool refuses = false)
    {
        var probe = ProbeOf(position);
        Step(new MembershipInput.Missed(_now, probe, refuses));
        for (var i = 0; i < helpers; i++)
            Step(new MembershipInput.HelperSaid(_now, probe, says));
    }

    private Health HealthOf(int position) => _state.Members[Peers.At((UInt128)position).Node]!.Health;

    private static Member Alive(int position, ulong incarnation) =>
        new(Peers.At((UInt128)position), incarnation, Health.Alive, 0);
}
