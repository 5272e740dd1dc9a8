using ChordChat.Node.Discovery;
using Xunit;

namespace ChordChat.Tests.Unit.Discovery;

public class BeaconScheduleTests
{
    private static readonly TimeSpan Start = TimeSpan.FromDays(3);
    private readonly BeaconSchedule _schedule = new(Start, new Random(1));

    [Fact]
    public void The_first_beacon_goes_out_at_once() => Assert.Equal(Start, _schedule.Due);

    [Fact]
    public void A_lonely_node_calls_about_every_two_seconds()
    {
        var late = Start + TimeSpan.FromHours(1);
        _schedule.Sent(late, alone: true);
        Assert.InRange(_schedule.Due - late, TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(2.5));
    }

    [Fact]
    public void A_fresh_node_calls_often_and_a_settled_one_seldom()
    {
        _schedule.Sent(Start, alone: false);
        Assert.InRange(_schedule.Due - Start, TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(2.5));
        var late = Start + TimeSpan.FromMinutes(1);
        _schedule.Sent(late, alone: false);
        Assert.InRange(_schedule.Due - late, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void Who_is_alone_is_answered_soon_but_not_more_than_once_a_second()
    {
        var late = Start + TimeSpan.FromMinutes(1);
        _schedule.Sent(late, alone: false);
        _schedule.HeardLonely(late);
        Assert.Equal(late + TimeSpan.FromSeconds(1), _schedule.Due);
        var later = late + TimeSpan.FromSeconds(20);
        _schedule.Sent(late, alone: false);
        _schedule.HeardLonely(later);
        Assert.InRange(_schedule.Due, later, later + TimeSpan.FromMilliseconds(500));
    }
}
