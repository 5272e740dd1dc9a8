using System.Net;
using ChordChat.Node.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/operations.md, "Limits".</summary>
public sealed class AddressLimitTests
{
    [Fact]
    public void An_address_has_its_share_of_connections_and_gets_them_back()
    {
        var limit = new AddressLimit(2);
        var (one, other) = (IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"));
        Assert.True(limit.TryEnter(one));
        Assert.True(limit.TryEnter(one));
        Assert.False(limit.TryEnter(one));
        Assert.True(limit.TryEnter(other));
        limit.Leave(one);
        Assert.True(limit.TryEnter(one));
        Assert.False(limit.TryEnter(one));
    }
}
