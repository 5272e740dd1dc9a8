using ChordChat.Core.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md, Circle.</summary>
public class CircleTests
{
    [Fact]
    public void What_is_written_is_read_again_and_nothing_ever_written_is_empty()
    {
        var circle = Circle.Empty.After(["mallory"], [], ["bob", "carol"])!;
        var read = Circle.FromBytes(circle.ToBytes());
        Assert.True(read.IsSameAs(circle) && read.Blocks("mallory") && read.HasWrittenTo("carol"));
        Assert.True(Circle.FromBytes(default).IsSameAs(Circle.Empty));
    }

    [Fact]
    public void A_change_takes_names_once_drops_bad_ones_and_unblocking_wins()
    {
        var circle = Circle.Empty.After(["a", "a", "Not A Name", "b"], ["b"], ["c", "c", ""])!;
        Assert.Equal(["a"], circle.Blocked);
        Assert.Equal(["c"], circle.WrittenTo);
    }

    [Fact]
    public void More_blocked_names_are_refused_and_the_oldest_of_the_others_go()
    {
        var many = Enumerable.Range(0, Circle.WrittenToMax + 1).Select(i => $"u{i}").ToArray();
        Assert.Null(Circle.Empty.After(many[..(Circle.BlockedMax + 1)], [], []));
        var circle = Circle.Empty.After(many[..Circle.BlockedMax], [], many)!;
        Assert.Equal(many[1..], circle.WrittenTo);
        Assert.True(Circle.FromBytes(circle.ToBytes()).IsSameAs(circle));
    }

    [Fact]
    public void Bytes_that_are_no_circle_within_its_bounds_are_refused()
    {
        var bytes = Circle.Empty.After(["mallory"], [], ["bob"])!.ToBytes().ToArray();
        for (var length = 1; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => Circle.FromBytes(bytes.AsMemory(0, length)));
        Assert.Throws<InvalidDataException>(() => Circle.FromBytes((byte[])[.. bytes, 0]));
        var twice = new Circle(["a", "a"], []).ToBytes();
        Assert.Throws<InvalidDataException>(() => Circle.FromBytes(twice));
        Assert.Throws<InvalidDataException>(() => Circle.FromBytes(new Circle(["Not A Name"], []).ToBytes()));
    }
}
