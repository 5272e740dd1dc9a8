using ChordChat.Core.Ring;
using ChordChat.Node.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#copied-and-restored-disks, "Before it serves".</summary>
public sealed class VouchingTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(5);

    private MembershipState _members = MembershipState.Starting(Peers.At(0), 1, 0, TimeSpan.Zero);
    private readonly Dictionary<NodeId, Peer> _earlier = [];
    private TimeSpan _now = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_start_opens_at_once_when_all_have_looked() =>
        Assert.True(MayOpen(TimeSpan.Zero, looked: 2, One(Health.Alive), One(Health.Dead)));

    [Fact]
    public void Who_can_be_reached_is_waited_for() =>
        Assert.False(MayOpen(Soon, looked: 1, One(Health.Alive), One(Health.Alive)));

    [Fact]
    public void One_welcome_does_not_do_while_founders_have_not_been_heard() =>
        Assert.False(MayOpen(Soon, looked: 1, One(Health.Alive), One(Health.Alive, incarnation: 0)));

    [Theory, InlineData(Health.Suspect), InlineData(Health.Dead), InlineData(Health.Left)]
    public void Who_is_silent_to_this_node_is_not_waited_for_long_once_somebody_has_looked(Health health)
    {
        Assert.True(MayOpen(Soon, looked: 1, One(Health.Alive), Silent(health)));
        Assert.False(MayOpen(TimeSpan.Zero, looked: 1, One(Health.Alive), Silent(health)));
        Assert.False(MayOpen(Soon, looked: 0, Silent(health)));
    }

    /// <summary>One that lies is the first to answer, and calls all others dead.</summary>
    [Theory, InlineData(Health.Suspect), InlineData(Health.Leaving), InlineData(Health.Dead), InlineData(Health.Left)]
    public void Whom_only_others_cannot_reach_is_waited_for(Health health)
    {
        Assert.False(MayOpen(Soon, looked: 1, One(Health.Alive), One(health)));
        Assert.False(MayOpen(Soon, looked: 1, One(Health.Alive), Silent(health), One(health)));
    }

    [Fact]
    public void Where_nobody_answers_a_start_opens_after_5_s()
    {
        Assert.True(MayOpen(Late, looked: 0, One(Health.Alive), One(Health.Alive, incarnation: 0)));
        Assert.False(MayOpen(Late - TimeSpan.FromMilliseconds(1), looked: 0, One(Health.Alive)));
    }

    /// <summary>A node that is no founder's neighbour knows nobody right after a start, and one that lies is the first
    /// to call.</summary>
    [Fact]
    public void Who_answered_before_this_start_is_waited_for_until_somebody_tells_of_it()
    {
        Assert.False(MayOpen(TimeSpan.Zero, looked: 0, awaits: true));
        Assert.False(MayOpen(Soon, looked: 1, awaits: true, One(Health.Alive)));
        Assert.False(MayOpen(Soon, looked: 1, awaits: true, One(Health.Alive), Silent(Health.Dead)));
        Assert.True(MayOpen(Late, looked: 1, awaits: true, One(Health.Alive)));
        Assert.True(MayOpen(TimeSpan.Zero, looked: 0)); // The first node of all.
    }

    /// <summary>docs/protocol.md#one-voice-is-a-claim: one that lies leaves the other out of what it tells.</summary>
    [Fact]
    public void One_node_is_alone_only_if_nobody_else_answered_before_this_start()
    {
        Say(Peers.At(10), Health.Alive);
        Assert.True(HasOneOther(TimeSpan.Zero));
        _earlier.Add(Peers.At(20).Node, Peers.At(20));
        Assert.False(HasOneOther(TimeSpan.Zero));
        Assert.True(HasOneOther(_members.Options.ForgetAfter));
        _members = _members with { Denied = [Peers.At(20).Node] };
        Assert.True(HasOneOther(TimeSpan.Zero));
        Say(Peers.At(30), Health.Dead);
        Assert.False(HasOneOther(_members.Options.ForgetAfter));

        bool HasOneOther(TimeSpan now) => Vouching.HasOneOther(_members, _earlier, now);
    }

    [Fact]
    public void Who_answered_before_this_start_has_a_voice_whether_others_tell_of_it_or_not()
    {
        Say(Peers.At(10), Health.Alive);
        Assert.Equal([10], Others());
        _earlier.Add(Peers.At(20).Node, Peers.At(20));
        Assert.Equal([10, 99], Others());
        Hear(Peers.At(20), 2, Health.Dead);
        _now += MembershipOptions.Lan.SilentDeadAfter;
        Say(Peers.At(30), Health.Alive);
        Assert.Equal([10, 20, 30], Others());
        Step(new MembershipInput.Denied(_now, [Peers.At(20).Node]));
        Assert.Equal([10, 30], Others());
    }

    /// <summary>docs/protocol.md#voices: DATA/members.</summary>
    [Fact]
    public void Only_who_has_spoken_here_is_remembered_and_nobody_that_others_do_not_tell_of_is_forgotten_for_that()
    {
        foreach (var earlier in (int[])[20, 40])
            _earlier.Add(Peers.At((UInt128)earlier).Node, Peers.At((UInt128)earlier));
        Say(Peers.At(10), Health.Alive);
        Hear(Peers.At(20), 2, Health.Alive);
        Hear(Peers.At(30), 2, Health.Alive); // Made up.
        Assert.Equal(["n10", "n20", "n40"], Remembered());
        Step(new MembershipInput.Denied(_now, [Peers.At(20).Node]));
        _now += _members.Options.ForgetAfter;
        Assert.Equal(["n10"], Remembered());
    }

    /// <summary>docs/protocol.md#copied-and-restored-disks, "Before any call".</summary>
    [Fact]
    public void By_what_one_says_of_others_they_lose_no_voice()
    {
        Say(Peers.At(10), Health.Alive);
        Say(Peers.At(20), Health.Alive);
        foreach (var health in (Health[])[Health.Suspect, Health.Dead, Health.Left])
            foreach (var victim in (int[])[20, 30])
                Hear(Peers.At((UInt128)victim), (ulong)health, health);
        Assert.Equal([10, 20, 30], Others());
    }

    /// <summary>docs/protocol.md#voices: else one that lies would be the only other one as soon as somebody is stopped.
    /// </summary>
    [Fact]
    public void Who_has_left_is_still_one_of_the_others_and_a_revoked_one_is_not()
    {
        Say(Peers.At(10), Health.Alive);
        Say(Peers.At(20), Health.Alive);
        foreach (var time in (TimeSpan[])[_now, _now + MembershipOptions.Lan.SilentDeadAfter])
        {
            _now = time;
            Say(Peers.At(20), Health.Left, incarnation: 9);
            Assert.Equal([10, 20], Others());
        }

        Step(new MembershipInput.Denied(_now, [Peers.At(20).Node]));
        Assert.Equal([10], Others());
    }

    /// <summary>Whoever tells of nobody else but made-up ones is not made the only other one by that.</summary>
    [Fact]
    public void Whom_only_others_have_named_counts_later_too_beside_a_single_voice()
    {
        Say(Peers.At(10), Health.Alive);
        _now += MembershipOptions.Lan.SilentDeadAfter;
        Assert.Equal([10], Others());
        Hear(Peers.At(20), 2, Health.Dead);
        Assert.Equal([10, 20], Others());
        Say(Peers.At(30), Health.Alive);
        Assert.Equal([10, 30], Others());
    }

    [Fact]
    public void Who_is_silent_to_this_node_is_one_of_the_others_until_it_is_forgotten()
    {
        Say(Peers.At(10), Health.Alive);
        Say(Peers.At(20), Health.Alive);
        for (var i = 0; i < 60; i++)
        {
            _now += TimeSpan.FromSeconds(1);
            Step(new MembershipInput.ProbeDue(_now, [Peers.At(20)]));
            foreach (var (number, probe) in _members.Probes)
                if (probe.Target == Peers.At(10))
                    Step(new MembershipInput.Acked(_now, number, new(Peers.At(10), 2, Health.Alive, 0), []));
                else
                    FailProbe(number);
        }

        Assert.True(_members.Members[Peers.At(20).Node]!.IsGone);
        Assert.Equal([10, 20], Others());
        _now += _members.Options.ForgetAfter;
        Step(new MembershipInput.ProbeDue(_now, []));
        Assert.Equal([10], Others());
    }

    /// <summary>Made-up members: they would outnumber all who can have a voice.</summary>
    [Fact]
    public void Whom_only_others_have_named_counts_for_the_placement_time()
    {
        Step(new MembershipInput.Founded(_now, [Peers.At(5)]));
        Say(Peers.At(10), Health.Alive);
        for (var i = 0; i < 20; i++)
            Hear(Peers.At((UInt128)(100 + i)), 2, Health.Alive);
        Assert.Equal(22, Others().Length);
        _now += MembershipOptions.Lan.SilentDeadAfter;
        Assert.Equal([5, 10], Others()); // And a founder, whom nobody can make up.
        Say(Peers.At(100), Health.Alive);
        Assert.Equal([5, 10, 100], Others());
    }

    private string[] Remembered() =>
        [.. MemberReports.Answered(_members, _earlier, _now).Select(peer => peer.Name)];

    private void Say(Peer peer, Health health, ulong incarnation = 2) =>
        Step(new MembershipInput.Pinged(_now, new(peer, incarnation, health, 0), [], false, 0));

    private void Hear(Peer peer, ulong incarnation, Health health) => Step(new MembershipInput.Pinged(
        _now, new(Peers.At(10), 2, Health.Alive, 0), [new(peer, incarnation, health, 0)], false, 0));

    private void FailProbe(ulong number)
    {
        Step(new MembershipInput.Missed(_now, number));
        for (var i = 0; i < _members.Options.HelperCount; i++)
            Step(new MembershipInput.HelperSaid(_now, number, false));
    }

    private void Step(MembershipInput input) =>
        (_members, _) = MembershipProtocol.Step(_members, input, new Prng(1));

    private int[] Others() => [.. Vouching.OthersOf(_members, _earlier, _now)
        .Select(node => (int)(_members.Members[node]?.Peer.Position.Value ?? 99)).Order()];

    /// <param name="looked">So many of the first have let the start pass.</param>
    private static bool MayOpen(TimeSpan waited, int looked, params Member[] others) =>
        MayOpen(waited, looked, awaits: false, others);

    private static bool MayOpen(TimeSpan waited, int looked, bool awaits, params Member[] others)
    {
        Member[] members = [.. others.Select((member, i) => member with
        {
            Peer = new(new NodeId((UInt128)i + 1, 0), new RingId((UInt128)i), $"n{i}", "127.0.0.1:1"),
        })];
        return Vouching.MayOpen(
            waited, members, awaits, node => members[..looked].Any(member => member.Peer.Node == node));
    }

    private static Member Silent(Health health) => One(health) with { MissedAt = TimeSpan.Zero };

    private static Member One(Health health, ulong incarnation = 1) => new(null!, incarnation, health, 0);
}
