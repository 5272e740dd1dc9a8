using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md, "Ring: audit": each alarm is passed on once.</summary>
public class AuditAlarmsTests
{
    [Fact]
    public void Two_alarms_that_take_turns_are_new_once_each()
    {
        var (alarms, one, other) = (new AuditAlarms(), new NodeId(1, 0), new NodeId(2, 0));
        Assert.True(alarms.IsNew(one, 7, TimeSpan.Zero));
        Assert.True(alarms.IsNew(other, 7, TimeSpan.Zero));
        Assert.False(alarms.IsNew(one, 7, TimeSpan.Zero));
        Assert.False(alarms.IsNew(other, 7, TimeSpan.Zero));
        Assert.True(alarms.IsNew(one, 8, TimeSpan.Zero));
    }

    /// <summary>300 alarms that go round a ring pushed each other out of what was remembered, and went round for
    /// ever.</summary>
    [Fact]
    public void A_flood_that_goes_round_ends()
    {
        var (alarms, origin, passedOn) = (new AuditAlarms(), new NodeId(1, 0), 0);
        for (var second = 0; second < 600; second++)
            for (var number = 0UL; number < 300; number++)
                if (alarms.IsNew(origin, number, TimeSpan.FromSeconds(second)))
                    passedOn++;
        Assert.InRange(passedOn, 1, 10 * AuditAlarms.PerMinuteMax);
        for (var number = 0UL; number < AuditAlarms.PerMinuteMax; number++)
            Assert.False(alarms.IsNew(origin, number, TimeSpan.FromHours(1))); // The first ones were not forgotten.
    }
}
