using ChordChat.Core.Ring;
using ChordChat.Node.Transport;
using Xunit;

namespace ChordChat.Tests.Unit.Hosting;

/// <summary>docs/protocol.md#copied-and-restored-disks, "Before it serves".</summary>
public sealed class VouchingTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(5);

    [Fact]
    public void A_start_opens_at_once_when_all_have_looked() =>
        Assert.True(MayOpen(TimeSpan.Zero, looked: 2, One(Health.Alive), One(Health.Suspect)));

    [Fact]
    public void Who_can_be_reached_is_waited_for() =>
        Assert.False(MayOpen(Soon, looked: 1, One(Health.Alive), One(Health.Alive)));

    [Fact]
    public void One_welcome_does_not_do_while_founders_have_not_been_heard() =>
        Assert.False(MayOpen(Soon, looked: 1, One(Health.Alive), One(Health.Alive, incarnation: 0)));

    [Fact]
    public void Who_others_cannot_reach_is_not_waited_for_long_once_somebody_has_looked()
    {
        Assert.True(MayOpen(Soon, looked: 1, One(Health.Alive), One(Health.Suspect)));
        Assert.False(MayOpen(TimeSpan.Zero, looked: 1, One(Health.Alive), One(Health.Suspect)));
        Assert.False(MayOpen(Soon, looked: 0, One(Health.Suspect)));
    }

    [Fact]
    public void Where_nobody_answers_a_start_opens_after_5_s()
    {
        Assert.True(MayOpen(Late, looked: 0, One(Health.Alive), One(Health.Alive, incarnation: 0)));
        Assert.False(MayOpen(Late - TimeSpan.FromMilliseconds(1), looked: 0, One(Health.Alive)));
    }

    /// <param name="looked">So many of the first have let the start pass.</param>
    private static bool MayOpen(TimeSpan waited, int looked, params Member[] others)
    {
        Member[] members = [.. others.Select((member, i) => member with
        {
            Peer = new(new NodeId((UInt128)i + 1, 0), new RingId((UInt128)i), $"n{i}", "127.0.0.1:1"),
        })];
        return Vouching.MayOpen(waited, members, node => members[..looked].Any(member => member.Peer.Node == node));
    }

    private static Member One(Health health, ulong incarnation = 1) => new(null!, incarnation, health, 0);
}
