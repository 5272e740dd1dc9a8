using System.Net;
using ChordChat.Node.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Base;

/// <summary>docs/operations.md, "Limits": what counts as one place.</summary>
public sealed class AddressBlockTests
{
    [Theory]
    [InlineData("10.1.2.3", "10.1.2.0/24")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.0/24")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64")]
    public void A_block_is_what_one_person_may_have(string address, string block) =>
        Assert.Equal(block, AddressBlock.Of(IPAddress.Parse(address)));

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.0/24")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48")]
    public void A_site_is_known_from_one_of_its_blocks(string address, string site)
    {
        Assert.Equal(site, AddressBlock.OfSite(IPAddress.Parse(address)));
        Assert.Equal(site, AddressBlock.SiteOf(AddressBlock.Of(IPAddress.Parse(address))));
        Assert.All(["", "unknown", "/", "x/24"], other => Assert.Equal(other, AddressBlock.SiteOf(other)));
    }

    [Fact]
    public void A_whole_64_of_addresses_has_one_share_of_connections()
    {
        var limit = new AddressLimit(1);
        Assert.True(limit.TryEnter(IPAddress.Parse("2001:db8::1")));
        Assert.False(limit.TryEnter(IPAddress.Parse("2001:db8::2")));
        limit.Leave(IPAddress.Parse("2001:db8::1"));
        Assert.True(limit.TryEnter(IPAddress.Parse("2001:db8::2")));
    }

    [Fact]
    public void A_flood_gets_one_line_a_minute_which_says_how_large_it_was()
    {
        var lines = new LineBudget(1);
        Assert.Single(Enumerable.Range(0, 10_800), i => lines.Allows(i, out _));
        Assert.True(lines.Allows(60_000, out var skipped));
        Assert.Equal(10_799, skipped);
    }
}
