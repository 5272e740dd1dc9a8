using ChordChat.Core.Ring;
using ChordChat.Node.Identity;
using ChordChat.Node.Ring;
using Xunit;

namespace ChordChat.Tests.Unit.Ring;

/// <summary>docs/protocol.md#ring-deny-list: whose word of a newer list is followed next.</summary>
public sealed class DenyListNewsTests : IDisposable
{
    private static readonly NodeId Liar = new(0, 1);
    private static readonly NodeId Honest = new(0, 2);

    private readonly CancellationTokenSource _over = new(TimeSpan.FromMinutes(2));
    private readonly DenyListNews _news;

    public DenyListNewsTests()
    {
        using var authority = ClusterAuthority.Create(new byte[16], DateTimeOffset.UnixEpoch.AddYears(60));
        _news = new(new ClusterTrust(authority.Certificate));
    }

    public void Dispose() => _over.Dispose();

    [Fact]
    public async Task However_often_and_from_wherever_one_node_claims_a_list_the_next_one_has_its_turn()
    {
        for (var i = 0; i < 10_000; i++)
            _news.Heard(Liar, 1UL << 60, $"10.0.0.1:{1 + i}");
        _news.Heard(Honest, 7, "10.0.0.2:7401");
        await using var claims = _news.ReadAllAsync(_over.Token).GetAsyncEnumerator();
        Assert.Equal(new(Liar, "10.0.0.1:10000", 1UL << 60), await NextAsync(claims));
        _news.Heard(Liar, 1UL << 60, "10.0.0.1:1"); // While it is asked.
        Assert.Equal(new(Honest, "10.0.0.2:7401", 7), await NextAsync(claims));
        Assert.Equal(Liar, (await NextAsync(claims)).Node);
        _news.Heard(Honest, 8, "10.0.0.2:7401"); // Nothing else has waited.
        Assert.Equal(new(Honest, "10.0.0.2:7401", 8), await NextAsync(claims));
    }

    [Fact]
    public async Task Strangers_who_take_this_node_for_nobody_wait_in_a_few_places_of_their_own()
    {
        for (var i = 0; i < 10_000; i++)
            _news.Refused(null, $"10.0.0.1:{1 + i}");
        _news.Refused(Honest, "10.0.0.2:7401");
        await using var claims = _news.ReadAllAsync(_over.Token).GetAsyncEnumerator();
        Assert.Null((await NextAsync(claims)).Node);
        Assert.Equal(Honest, (await NextAsync(claims)).Node); // After one of them, however many wait.
        Assert.Null((await NextAsync(claims)).Node);
        _news.Refused(Honest, "10.0.0.2:7401");
        _news.Refused(Liar, "10.0.0.1:7401");
        Assert.Equal(Honest, (await NextAsync(claims)).Node);
        Assert.Null((await NextAsync(claims)).Node);
        Assert.Equal(Liar, (await NextAsync(claims)).Node);
        for (var i = 3; i < DenyListNews.StrangersMax; i++)
            Assert.Null((await NextAsync(claims)).Node);
        _news.Refused(null, "10.0.0.3:7401");
        Assert.Equal("10.0.0.3:7401", (await NextAsync(claims)).Address);
    }

    private static async Task<DenyListClaim> NextAsync(IAsyncEnumerator<DenyListClaim> claims)
    {
        Assert.True(await claims.MoveNextAsync());
        return claims.Current;
    }
}
