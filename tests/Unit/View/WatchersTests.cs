using System.Net;
using ChordChat.Node.View;
using ChordChat.Tests.Unit.Base;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChordChat.Tests.Unit.View;

/// <summary>docs/operations.md, "Limits": traces without a certificate.</summary>
public sealed class WatchersTests
{
    private readonly ManualTime _time = new();
    private readonly Watchers _watchers;

    public WatchersTests() => _watchers = new(new() { TracesPerMinuteMax = 10 }, _time);

    /// <summary>A customer may have 65,536 networks of the smaller kind.</summary>
    [Theory]
    [InlineData("2001:db8:1:{0:x}::1")]
    [InlineData("10.0.0.{0}")]
    public void All_networks_of_one_site_have_one_share(string address)
    {
        Assert.Equal(10, Enumerable.Range(0, 50).Count(i => IsIn(string.Format(null, address, i))));
        Assert.True(IsIn("2001:db8:2::1"));
        _time.Now += TimeSpan.FromSeconds(61);
        Assert.True(IsIn(string.Format(null, address, 1)));
    }

    [Fact]
    public void However_many_come_a_new_block_is_let_in()
    {
        for (var block = 0; block < 50; block++)
            for (var i = 0; i < 20; i++)
                IsIn($"2001:db8:{block:x}::1");
        Assert.Equal(Watchers.FewOfBlock, Enumerable.Range(0, 50).Count(_ => IsIn("2001:db8:ffff::1")));
    }

    private bool IsIn(string address)
    {
        var caller = new DefaultHttpContext();
        caller.Connection.RemoteIpAddress = IPAddress.Parse(address);
        try
        {
            _watchers.EnterTrace(caller).Dispose();
            return true;
        }
        catch (RpcException full) when (full.StatusCode == StatusCode.ResourceExhausted)
        {
            return false;
        }
    }
}
