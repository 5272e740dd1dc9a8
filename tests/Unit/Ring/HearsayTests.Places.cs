using System.Collections.Immutable;
using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#ring-hearsay: where others say that a member is.</summary>
public partial class HearsayTests
{
    [Fact]
    public void An_address_that_others_tell_is_asked_and_not_believed()
    {
        Say(10, 3 * Start);
        var elsewhere = Peers.At(10) with { Address = "wrong:1" };
        for (var i = 1UL; i <= 50; i++)
            Hear(elsewhere with { Address = $"wrong:{i}" }, (3 * Start) + i, Health.Alive);
        Assert.Equal(("host10:7401", 3 * Start), (Of(10).Peer.Address, Of(10).Incarnation));
        var ping = Assert.Single(_state.Probes);
        Step(new MembershipInput.Missed(_now, ping.Key));
        Assert.Equal(Health.Alive, Of(10).Health); // It is silent where somebody else said it is.
        Assert.Empty(_state.Probes);
        Hear(elsewhere, (3 * Start) + 1, Health.Alive);
        var probe = Assert.Single(_effects.OfType<MembershipEffect.Ping>());
        Step(new MembershipInput.Acked(_now, probe.Probe, new(elsewhere, (3 * Start) + 1, Health.Alive, 0), []));
        Assert.Equal("wrong:1", Of(10).Peer.Address); // It is there indeed.
    }

    [Theory, InlineData(1, 2), InlineData(2, 1)]
    public void Whom_others_place_at_two_addresses_is_asked_at_both(ulong first, ulong second)
    {
        Hear(Peers.At(10), first * Start, Health.Alive);
        Hear(Peers.At(10) with { Address = "wrong:1" }, second * Start, Health.Alive);
        AssertFoundAtHome();
    }

    [Theory, InlineData(10, 77), InlineData(77, 10)]
    public void Whose_place_is_in_dispute_says_itself_where_it_stands(int who, int position)
    {
        Hear(
            Peers.At((UInt128)who) with { Position = new RingId((UInt128)position), Address = "wrong:1" },
            2 * Start, Health.Alive);
        Hear(Peers.At(10), Start, Health.Alive);
        var there = Assert.Single(_state.Probes, probe => probe.Value.Target.Address == "host10:7401").Key;
        Step(new MembershipInput.Acked(_now, there, new(Peers.At(10), Start, Health.Alive, 0), []));
        Assert.Equal(new RingId(10), Of(10).Peer.Position);
        Assert.Equal("host10:7401", Of(10).Peer.Address);
    }

    private void AssertFoundAtHome()
    {
        Step(new MembershipInput.ProbeDue(_now, [Peers.At(10)]));
        Assert.Equal(
            ["host10:7401", "wrong:1"],
            _state.Probes.Values.Where(probe => probe.Target == Peers.At(10))
                .Select(probe => probe.Target.Address).Order());
        var there = _state.Probes.Single(probe => probe.Value.Target.Address == "host10:7401").Key;
        Step(new MembershipInput.Acked(_now, there, new(Peers.At(10), Start, Health.Alive, 0), []));
        Assert.Equal("host10:7401", Of(10).Peer.Address);
        foreach (var probe in _state.Probes.Keys)
            Step(new MembershipInput.Missed(_now, probe));
        Assert.Equal(Health.Alive, Of(10).Health);
    }

    /// <summary>docs/protocol.md#steward</summary>
    [Fact]
    public void After_a_start_no_keeper_is_passed_over_that_has_not_spoken_here()
    {
        _state = MembershipState.Starting(Self, 6 * Start, 0, _now);
        Say(20, Start);
        Hear(Peers.At(30) with { Position = new RingId(10) }, Start, Health.Alive); // Nobody has placed 10 yet.
        AssertPreferred(10, 20);
        Hear(Peers.At(10), Start, Health.Alive);
        _now += _state.Options.SilentDeadAfter - TimeSpan.FromSeconds(1);
        AssertPreferred(10, 20);
        _now += TimeSpan.FromSeconds(1);
        AssertPreferred(20, 99); // Whoever does not speak in all that time is passed over.
        Say(10, 2 * Start);
        AssertPreferred(10, 20);
    }

    [Fact]
    public void A_member_is_probed_where_it_is_also_while_it_is_asked_elsewhere()
    {
        Say(10, 3 * Start);
        Hear(Peers.At(10) with { Address = "wrong:1" }, 4 * Start, Health.Alive);
        Step(new MembershipInput.ProbeDue(_now, [Peers.At(10)]));
        Assert.Contains(_effects.OfType<MembershipEffect.Ping>(), ping => ping.To.Address == "host10:7401");
    }

    [Fact]
    public void Not_more_than_a_few_such_addresses_are_asked_at_once()
    {
        foreach (var at in Enumerable.Range(10, 50))
            Say(at, 3 * Start);
        foreach (var at in Enumerable.Range(10, 50))
            Hear(Peers.At((UInt128)at) with { Address = $"wrong:{at}" }, 4 * Start, Health.Alive);
        Assert.Equal(8, _state.Probes.Count);
        _now += TimeSpan.FromSeconds(10); // All results are lost.
        Step(new MembershipInput.ProbeDue(_now, []));
        Hear(Peers.At(50) with { Address = "wrong:50" }, 5 * Start, Health.Alive);
        Assert.Contains(_state.Probes.Values, probe => probe.Target.Address == "wrong:50");
    }

    [Fact]
    public void A_position_that_a_certificate_shows_wins_over_one_that_others_told()
    {
        Hear(Peers.At(10) with { Position = new RingId(77) }, Start, Health.Alive);
        Hear(Peers.At(30) with { Position = new RingId(10) }, Start, Health.Alive);
        Say(10, 3 * Start);
        Assert.Equal(new RingId(10), Of(10).Peer.Position);
        Assert.Null(_state.Members[Peers.At(30).Node]);
        Hear(Peers.At(30) with { Position = new RingId(10) }, 5 * Start, Health.Alive);
        Assert.Null(_state.Members[Peers.At(30).Node]);
    }

    /// <summary>docs/protocol.md#steward: one that lies can make up any number of members.</summary>
    [Fact]
    public void Whom_others_made_up_gets_no_tiles_and_is_asked()
    {
        Say(20, Start);
        foreach (var at in Enumerable.Range(6, 4))
            Hear(Peers.At((UInt128)at), Start, Health.Alive);
        _now += TimeSpan.FromMinutes(2);
        AssertPreferred(20, 99);
        Step(new MembershipInput.ProbeDue(_now, []));
        Assert.Superset(Peers.All(6, 7, 8, 9).ToHashSet(), _asked.Select(ping => ping.To).ToHashSet());
        Say(7, Start);
        AssertPreferred(7, 20);
    }

    /// <summary>docs/protocol.md#one-change-at-a-time.</summary>
    [Fact]
    public void Who_was_never_heard_of_is_long_gone_when_this_node_has_run_for_a_while()
    {
        var (heard, unknown) = (Peers.At(20).Node, Peers.At(77).Node);
        Say(20, Start);
        Assert.False(_state.IsLongGone(unknown, _state.StartedAt));
        Assert.True(_state.IsLongGone(unknown, _state.StartedAt + _state.Options.SilentDeadAfter));
        Assert.False(_state.IsLongGone(heard, _state.StartedAt + _state.Options.SilentDeadAfter));
    }

    /// <summary>docs/protocol.md#newcomers.</summary>
    [Fact]
    public void Whom_its_steward_passes_over_gets_no_tile_that_it_does_not_keep()
    {
        var keepers = Peers.All(10, 20).Select(peer => peer.Node).ToImmutableArray();
        ImmutableArray<NodeId> Preferred(params int[] passedOver) => _state.Preferred(
            new RingId(5), 2, _now, keepers, Peers.All(passedOver).Select(peer => peer.Node).ToHashSet());
        Say(20, Start);
        Hear(Peers.At(7), Start, Health.Alive);
        _now += TimeSpan.FromMinutes(2);
        Say(7, Start);
        Assert.Equal<NodeId>([Peers.At(7).Node, Peers.At(20).Node], Preferred());
        Assert.Equal<NodeId>([Peers.At(20).Node, Peers.At(99).Node], Preferred(7));
        Assert.Equal<NodeId>([Peers.At(7).Node, Peers.At(20).Node], Preferred(20));
    }

    private void AssertPreferred(int owner, int next) => Assert.Equal<NodeId>(
        [.. Peers.All(owner, next).Select(peer => peer.Node)],
        _state.Preferred(new RingId(5), 2, _now, [.. Peers.All(10, 20).Select(peer => peer.Node)]));
}
