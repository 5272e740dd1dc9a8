using System.Net;
using ChordChat.Node.Chat;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/security.md, "What a call may cost": how often strangers make a node read an account.</summary>
public sealed class AccountDoorTests
{
    private readonly ManualTime _time = new();
    private readonly AccountDoor _door;

    public AccountDoorTests() => _door = new(
        new() { AccountReadsPerAddressMax = 10, AccountReadsMax = 20 }, new ChatClock(_time));

    [Fact]
    public void A_block_has_so_many_in_a_minute()
    {
        Assert.Equal(10, Enumerable.Range(0, 50).Count(i => IsIn($"10.0.0.{i}")));
        Assert.True(IsIn("10.0.1.1"));
        _time.Now += TimeSpan.FromSeconds(61);
        Assert.True(IsIn("10.0.0.1"));
    }

    [Fact]
    public void However_many_come_a_new_block_is_let_in()
    {
        for (var block = 0; block < 50; block++)
            for (var i = 0; i < 20; i++)
                IsIn($"10.0.{block}.1");
        Assert.Equal(AccountDoor.FewOfBlock, Enumerable.Range(0, 50).Count(_ => IsIn("10.1.0.1")));
    }

    [Fact]
    public void This_machine_itself_is_not_counted() =>
        Assert.All(Enumerable.Range(0, 100), _ => Assert.True(IsIn("127.0.0.1")));

    private bool IsIn(string address) => _door.TryEnter(IPAddress.Parse(address)) == TimeSpan.Zero;
}
