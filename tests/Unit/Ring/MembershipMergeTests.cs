using System.Collections.Immutable;
using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md, "Ring: membership cache".</summary>
public class MembershipMergeTests
{
    private static readonly Peer Self = Peers.At(0);

    [Fact]
    public void Caches_that_heard_the_same_records_are_equal_in_whatever_order_and_however_often()
    {
        var random = new Prng(5);
        for (var run = 0; run < 200; run++)
        {
            var records = Enumerable.Range(0, 20).Select(_ => Record(
                1 + random.Below(4), (ulong)(1 + random.Below(3)), (Health)random.Below(5))).ToList();
            var shuffled = records.Concat(records).OrderBy(_ => random.Next());
            var (one, _) = Hear(Fresh(), records);
            var (other, _) = Hear(Fresh(), shuffled);
            Assert.Equal(Facts(one), Facts(other));
            Assert.Equal(one.Members.Digest, other.Members.Digest);
        }
    }

    [Fact]
    public void Digests_of_different_beliefs_differ()
    {
        var beliefs = from incarnation in new ulong[] { 1, 2 }
                      from health in Enum.GetValues<Health>()
                      select Hear(Fresh(), [Record(7, incarnation, health)]).State.Members.Digest;
        Assert.Equal(10, beliefs.Distinct().Count());
    }

    [Fact]
    public void A_larger_incarnation_wins_and_within_one_the_worse_health()
    {
        var (s, _) = Hear(Fresh(), [Record(7, 2, Health.Suspect)]);
        Assert.Equal(Health.Suspect, Hear(s, [Record(7, 2, Health.Alive)]).State.Members[Peers.At(7).Node]!.Health);
        Assert.Equal(Health.Suspect, Hear(s, [Record(7, 1, Health.Dead)]).State.Members[Peers.At(7).Node]!.Health);
        Assert.Equal(Health.Alive, Hear(s, [Record(7, 3, Health.Alive)]).State.Members[Peers.At(7).Node]!.Health);
        Assert.Equal(Health.Dead, Hear(s, [Record(7, 2, Health.Dead)]).State.Members[Peers.At(7).Node]!.Health);
    }

    [Fact]
    public void A_member_that_hears_itself_suspected_refutes_with_a_larger_incarnation()
    {
        var s = Fresh();
        var own = s.Members.Own;
        var (after, _) = Hear(s, [own with { Health = Health.Suspect }]);
        Assert.Equal((own.Incarnation + 1, Health.Alive), (after.Members.Own.Incarnation, after.Members.Own.Health));
        Assert.Same(after.Members, Hear(after, [own with { Health = Health.Dead }]).State.Members);
    }

    [Fact]
    public void Hearing_of_an_own_incarnation_that_never_was_reports_a_copied_data_folder()
    {
        var s = Fresh();
        var (after, events) = Hear(s, [s.Members.Own with { Incarnation = 1UL << 30 }]);
        Assert.IsType<MembershipEvent.OwnIdSeenAhead>(Assert.Single(events));
        Assert.Equal((1UL << 30) + 1, after.Members.Own.Incarnation);
    }

    [Fact]
    public void Another_node_at_a_taken_position_is_refused()
    {
        var (s, _) = Hear(Fresh(), [Record(7, 1, Health.Alive)]);
        var thief = new Member(Peers.At(7) with { Node = new NodeId(9, 9) }, 5, Health.Alive, 0);
        Assert.Null(Hear(s, [thief]).State.Members[thief.Peer.Node]);
    }

    [Fact]
    public void However_many_members_one_invents_only_so_many_are_taken_in_and_those_who_are_there_stay()
    {
        var (s, _) = Hear(Fresh(), [Record(7, 1, Health.Alive)]);
        s = s with { Options = s.Options with { MembersMax = 5 } };
        var (after, events) = Hear(s, Enumerable.Range(10, 50).Select(at => Record(at, 1, Health.Alive)));
        Assert.Equal(5, after.Members.All.Length);
        Assert.Equal(47, events.Count(what => what is MembershipEvent.NoRoom));
        Assert.Equal(
            Health.Suspect, Hear(after, [Record(7, 1, Health.Suspect)]).State.Members[Peers.At(7).Node]!.Health);
    }

    [Fact]
    public void An_address_changes_with_a_larger_incarnation_only()
    {
        var (s, _) = Hear(Fresh(), [Record(7, 1, Health.Alive)]);
        var moved = Record(7, 1, Health.Alive) with { Peer = Peers.At(7) with { Address = "new:1" } };
        Assert.Same(s.Members, Hear(s, [moved]).State.Members);
        var (after, events) = Hear(s, [moved with { Incarnation = 2 }]);
        Assert.Equal("new:1", after.Members[moved.Peer.Node]!.Peer.Address);
        Assert.Equal("host7:7401", Assert.IsType<MembershipEvent.AddressChanged>(Assert.Single(events)).Before);
    }

    [Fact]
    public void Events_tell_a_members_whole_life()
    {
        var (s, lives) = (Fresh(), new List<string>());
        foreach (var (incarnation, health) in new (ulong, Health)[] {
            (1, Health.Alive), (1, Health.Suspect), (2, Health.Alive), (2, Health.Dead), (3, Health.Alive),
            (4, Health.Leaving), (5, Health.Left), (6, Health.Alive) })
        {
            (s, var events) = Hear(s, [Record(7, incarnation, health)]);
            lives.AddRange(events.Select(what => what.GetType().Name));
        }

        Assert.Equal(["Joined", "Suspected", "AliveAgain", "Died", "AliveAgain", "Leaving", "Left", "Joined"], lives);
    }

    /// <summary>What others said before may have been made up, the name too: RingDriver shows none of it.</summary>
    [Fact]
    public void Who_speaks_here_for_the_first_time_has_joined_whatever_others_said_before()
    {
        foreach (var (incarnation, health) in Enum.GetValues<Health>().Select(health => (1UL, health))
            .Append((2UL, Health.Alive)).Append((2UL, Health.Suspect)).Append((2UL, Health.Dead)))
        {
            var rumour = Record(7, incarnation, health);
            var (s, _) = Hear(
                Fresh(), [rumour with { Peer = rumour.Peer with { Name = "made-up", Address = "elsewhere:1" } }]);
            var (_, effects) = MembershipProtocol.Step(
                s, new MembershipInput.Pinged(default, Record(7, 2, Health.Alive), [], false, 0), new Prng(1));
            var joined = Assert.Single(effects.OfType<MembershipEffect.Happened>().Select(happened => happened.Event));
            Assert.Equal("n7", Assert.IsType<MembershipEvent.Joined>(joined).Member.ProvenName);
        }
    }

    [Fact]
    public void Successor_and_placement_go_clockwise_and_wrap()
    {
        var (s, _) = Hear(Say(Fresh(), [10, 20, 30, 40, 50]), [Record(20, 1, Health.Suspect),
            Record(30, 1, Health.Dead), Record(40, 1, Health.Leaving)]);
        Assert.Equal(Peers.At(10), s.Members.Successor(new RingId(10)));
        Assert.Equal(Peers.At(40), s.Members.Successor(new RingId(11)));
        Assert.Equal(Self, s.Members.Successor(new RingId(51)));
        Assert.Equal<Peer>(
            [.. Peers.All(20, 50, 0)],
            [.. s.Members.Placement(new RingId(11), 3, TimeSpan.Zero, s.Options.Quarantine)]);
    }

    [Fact]
    public void A_newcomer_gets_no_tiles_in_its_quarantine_but_whom_a_fresh_node_hears_of_is_settled()
    {
        var quarantine = Fresh().Options.Quarantine;
        var s = Say(Fresh(), [10], TimeSpan.FromSeconds(1));
        s = Say(s, [20], TimeSpan.FromSeconds(100));
        Assert.Equal<Peer>(
            [.. Peers.All(10, 0)],
            [.. s.Members.Placement(new RingId(5), 3, TimeSpan.FromSeconds(114), quarantine)]);
        Assert.Equal<Peer>(
            [.. Peers.All(10, 20, 0)],
            [.. s.Members.Placement(new RingId(5), 3, TimeSpan.FromSeconds(115), quarantine)]);
    }

    /// <summary>docs/protocol.md#ring-membership-cache</summary>
    [Fact]
    public void To_a_tile_that_it_keeps_already_nobody_is_a_newcomer()
    {
        var s = Say(Fresh(), [10], TimeSpan.FromSeconds(1));
        (s, _) = Hear(s, [Record(20, 1, Health.Alive), Record(30, 1, Health.Dead)], TimeSpan.FromSeconds(100));
        Assert.Equal<Peer>([.. Peers.All(10, 20)], [.. s.Members.Placement(
            new RingId(5), 2, TimeSpan.FromSeconds(101), s.Options.Quarantine,
            [Peers.At(20).Node, Peers.At(30).Node])]);
    }

    /// <summary>docs/protocol.md#ring-membership-cache</summary>
    [Fact]
    public void A_suspect_keeps_the_tiles_that_it_has_and_gets_no_others()
    {
        var (s, _) = Hear(
            Fresh(), [Record(10, 1, Health.Suspect), Record(20, 1, Health.Suspect), Record(30, 1, Health.Alive)],
            TimeSpan.FromSeconds(1));
        Assert.Equal<Peer>([.. Peers.All(20, 30)], [.. s.Members.Placement(
            new RingId(5), 2, TimeSpan.FromSeconds(101), s.Options.Quarantine,
            [Peers.At(20).Node, Peers.At(30).Node])]);
    }

    [Fact]
    public void A_founder_that_nobody_hears_holds_tiles_up_for_the_quarantine_time_and_no_longer()
    {
        var (s, _) = MembershipProtocol.Step(
            Fresh(), new MembershipInput.Founded(TimeSpan.Zero, [Peers.At(10)]), new Prng(1));
        s = Say(s, [20]);
        var quarantine = s.Options.Quarantine;
        Assert.Empty(s.Members.Placement(new RingId(5), 2, quarantine - TimeSpan.FromSeconds(1), quarantine));
        Assert.Equal<Peer>([.. Peers.All(20, 0)], [.. s.Members.Placement(new RingId(5), 2, quarantine, quarantine)]);
        s = Say(s, [10], quarantine);
        Assert.Equal<Peer>([.. Peers.All(10, 20)], [.. s.Members.Placement(new RingId(5), 2, quarantine, quarantine)]);
    }

    private static MembershipState Fresh() =>
        MembershipState.Starting(Self, MembershipState.FirstIncarnation(1), 0, TimeSpan.Zero);

    private static Member Record(int position, ulong incarnation, Health health) =>
        new(Peers.At((UInt128)position), incarnation, health, 0);

    private static (MembershipState State, ImmutableArray<MembershipEvent> Events) Hear(
        MembershipState s, IEnumerable<Member> records, TimeSpan now = default)
    {
        var from = s.Members.Own; // What a node says of itself changes nothing.
        var (next, effects) = MembershipProtocol.Step(
            s, new MembershipInput.Pinged(now, from, [.. records], false, 0), new Prng(1));
        return (next, [.. effects.OfType<MembershipEffect.Happened>().Select(happened => happened.Event)]);
    }

    /// <summary>Each says itself that it lives.</summary>
    private static MembershipState Say(MembershipState s, int[] positions, TimeSpan now = default) =>
        positions.Aggregate(s, (before, at) => MembershipProtocol.Step(
            before, new MembershipInput.Pinged(now, Record(at, 1, Health.Alive), [], false, 0), new Prng(1)).State);

    private static IEnumerable<(Peer, ulong, Health)> Facts(MembershipState s) =>
        s.Members.All.Select(member => (member.Peer, member.Incarnation, member.Health));
}
