using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/operations.md#certificates-expire: a client whose clock is wrong is told that, not that the cluster is
/// another.</summary>
public sealed class WrongClockTests
{
    [Theory]
    [InlineData(5, 10, "valid only from")]
    [InlineData(-10, -5, "expired at")]
    public async Task A_clock_outside_the_certificates_time_is_called_that_before_and_after_the_pin(
        int from, int until, string words)
    {
        using var cluster = new FakeCluster { Valid = (from, until) };
        await using var node = await cluster.AddNodeAsync("n1");
        using var fresh = Profile.Open(Person.NewFolder());
        using var pinned = Profile.Open(Person.NewFolder());
        pinned.Trust.Expect(cluster.Authority.RawData);
        foreach (var profile in new[] { fresh, pinned })
        {
            using var accounts = new Accounts(profile, Person.Search(node));
            var refused = await Assert.ThrowsAsync<ChordChatException>(() => accounts.GreetAsync());
            Assert.Equal("wrong_time", refused.Code);
            Assert.Contains("this machine's clock says", refused.Message, StringComparison.Ordinal);
            Assert.Contains(words, refused.Message, StringComparison.Ordinal);
        }
    }
}
