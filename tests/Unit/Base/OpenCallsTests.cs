using System.Net;
using ChordChat.Node.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/operations.md, "Limits".</summary>
public sealed class OpenCallsTests
{
    private readonly OpenCalls _calls = new(2, 3);

    [Fact]
    public void An_address_has_its_share_and_all_together_have_theirs()
    {
        using var first = Open("10.0.0.1");
        using var second = Open("10.0.0.1");
        Assert.NotNull(second);
        Assert.Null(Open("10.0.0.1"));
        using var third = Open("10.0.0.2");
        Assert.NotNull(third);
        Assert.Null(Open("10.0.0.3"));
    }

    [Fact]
    public void What_is_over_makes_room_once()
    {
        var first = Open("10.0.0.1")!;
        using var second = Open("10.0.0.1");
        Assert.Null(Open("10.0.0.1"));
        first.Dispose();
        first.Dispose();
        using var third = Open("10.0.0.1");
        Assert.NotNull(third);
        Assert.Null(Open("10.0.0.1"));
    }

    [Fact]
    public void Who_was_refused_has_taken_no_room()
    {
        for (var i = 0; i < 10; i++)
            _calls.TryOpen(null)?.Dispose();
        using var first = Open("10.0.0.1");
        using var second = Open("10.0.0.1");
        for (var i = 0; i < 10; i++)
            Assert.Null(Open("10.0.0.1"));
        Assert.NotNull(Open("10.0.0.2"));
    }

    private IDisposable? Open(string address) => _calls.TryOpen(IPAddress.Parse(address));
}
