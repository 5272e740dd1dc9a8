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
        Assert.True(alarms.IsNew(one, 7));
        Assert.True(alarms.IsNew(other, 7));
        Assert.False(alarms.IsNew(one, 7));
        Assert.False(alarms.IsNew(other, 7));
        Assert.True(alarms.IsNew(one, 8));
    }
}
