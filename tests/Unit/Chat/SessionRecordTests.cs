using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

public sealed class SessionRecordTests
{
    private static readonly NodeId N1 = new(1, 1);
    private static readonly NodeId N2 = new(2, 2);

    [Fact]
    public void Each_session_has_a_larger_number_than_the_one_before()
    {
        var first = SessionRecord.Open(default, N1, 1, 11, 1000)!.Value;
        var second = SessionRecord.Open(first, N2, 1, 11, 2000)!.Value;

        Assert.Equal(new SessionRecord(1, N1, 1, 11, 1000, true), SessionRecord.FromBytes(first));
        Assert.Equal(new SessionRecord(2, N2, 1, 11, 2000, true), SessionRecord.FromBytes(second));
    }

    [Fact]
    public void A_device_with_older_keys_gets_no_session()
    {
        var current = SessionRecord.Open(default, N1, 2, 22, 1000)!.Value;

        Assert.Null(SessionRecord.Open(current, N1, 1, 11, 2000));
        Assert.NotNull(SessionRecord.Open(current, N1, 3, 33, 2000));
    }

    [Fact]
    public void Only_the_current_session_can_be_closed_and_only_once()
    {
        var current = SessionRecord.Open(SessionRecord.Open(default, N1, 1, 11, 1)!.Value, N1, 1, 11, 2)!.Value;

        Assert.Null(SessionRecord.Close(default, 1));
        Assert.Null(SessionRecord.Close(current, 1));
        var closed = SessionRecord.Close(current, 2)!.Value;
        Assert.False(SessionRecord.FromBytes(closed).IsOpen);
        Assert.Null(SessionRecord.Close(closed, 2));
    }

    /// <summary>docs/protocol.md#value-rules: whoever reads what one copy shows has to go on from it.</summary>
    [Fact]
    public void A_number_that_nobody_could_go_on_from_cannot_be_read()
    {
        var most = new SessionRecord(SessionRecord.NumberMax, default, 1, default, 0, IsOpen: true);
        Assert.Equal(most, SessionRecord.FromBytes(most.ToBytes()));
        foreach (var number in (ulong[])[SessionRecord.NumberMax + 1, ulong.MaxValue])
            Assert.Throws<InvalidDataException>(() =>
                SessionRecord.FromBytes((most with { Number = number }).ToBytes()));
    }
}
