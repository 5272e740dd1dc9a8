using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#ring-deny-list: a denied member is dead, and cannot talk its way back.</summary>
public class DeniedMemberTests
{
    private static readonly Peer Denied = Peers.At(7);

    [Fact]
    public void A_denied_member_is_dead_for_placement_at_once_and_cannot_refute_it()
    {
        var s = Deny(Hear(Fresh(), Alive(incarnation: 1)));
        AssertDead(s);
        AssertDead(Hear(s, Alive(incarnation: 9)));
        AssertDead(Hear(s, Alive(incarnation: 9) with { Health = Health.Left }));
    }

    [Fact]
    public void One_that_was_not_known_when_it_was_denied_is_dead_when_it_is_heard_of() =>
        AssertDead(Hear(Deny(Fresh()), Alive(incarnation: 3)));

    [Fact]
    public void A_founder_that_was_never_heard_is_waited_for_no_more()
    {
        var (s, _) = MembershipProtocol.Step(Fresh(), new MembershipInput.Founded(default, [Denied]), new Prng(1));
        Assert.True(s.Members[Denied.Node]!.IsOnRecord);
        AssertDead(Deny(s));
    }

    [Fact]
    public void Nobody_is_sent_to_a_denied_member_by_a_hint()
    {
        var hint = new MembershipInput.HeardOf(default, Denied);
        Assert.NotEmpty(MembershipProtocol.Step(Fresh(), hint, new Prng(1)).Effects);
        Assert.Empty(MembershipProtocol.Step(Deny(Fresh()), hint, new Prng(1)).Effects);
    }

    private static void AssertDead(MembershipState s)
    {
        var member = s.Members[Denied.Node]!;
        Assert.Equal((Health.Dead, true, false), (member.Health, member.Confirmed, member.IsOnRecord));
        Assert.DoesNotContain(Denied, s.Members.Live);
        Assert.Contains(Denied.Node, s.ForRing().Gone);
    }

    private static Member Alive(ulong incarnation) => new(Denied, incarnation, Health.Alive, 0);

    private static MembershipState Fresh() => MembershipState.Starting(Peers.At(0), 1, 0, TimeSpan.Zero);

    private static MembershipState Hear(MembershipState s, Member heard) => MembershipProtocol.Step(
        s, new MembershipInput.Pinged(default, s.Members.Own, [heard], false, 0), new Prng(1)).State;

    private static MembershipState Deny(MembershipState s) =>
        MembershipProtocol.Step(s, new MembershipInput.Denied(default, [Denied.Node]), new Prng(1)).State;
}
