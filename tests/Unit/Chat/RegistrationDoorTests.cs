using System.Net;
using ChordChat.Node.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/operations.md, "Limits": who registers.</summary>
public sealed class RegistrationDoorTests
{
    private readonly RegistrationDoor _door = new(
        new() { RegistrationsPerAddressMax = 3, RegistrationQueueMax = 2 }, new ChatClock(TimeProvider.System));

    [Fact]
    public void From_one_block_only_so_many_register_in_a_minute()
    {
        Assert.Equal(3, Enumerable.Range(1, 50).Count(i => Enters($"10.0.0.{i}")));
        Assert.True(Enters("10.0.1.1"));
    }

    [Fact]
    public void Only_so_many_are_under_way_at_once_wherever_they_come_from()
    {
        Assert.Equal(TimeSpan.Zero, _door.TryEnter(IPAddress.Loopback));
        Assert.Equal(TimeSpan.Zero, _door.TryEnter(IPAddress.Parse("10.0.0.1")));
        Assert.NotEqual(TimeSpan.Zero, _door.TryEnter(IPAddress.Parse("10.0.1.1")));
        _door.Leave();
        Assert.Equal(TimeSpan.Zero, _door.TryEnter(IPAddress.Parse("10.0.1.1")));
    }

    private bool Enters(string address)
    {
        if (_door.TryEnter(IPAddress.Parse(address)) > TimeSpan.Zero)
            return false;
        _door.Leave();
        return true;
    }
}
