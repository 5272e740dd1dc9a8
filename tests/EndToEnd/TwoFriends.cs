using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>Three nodes, alice and bob, shared by the tests of one class.</summary>
public sealed class TwoFriends : IAsyncLifetime
{
    private int _talks;

    internal LocalCluster Cluster { get; private set; } = null!;

    internal Person Alice { get; private set; } = null!;

    internal Person Bob { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Cluster = await LocalCluster.StartAsync(3);
        (Alice, Bob) = (new(Cluster, "alice"), new(Cluster, "bob"));
        await Task.WhenAll(Alice.RegisterAsync("n1"), Bob.RegisterAsync("n2"));
    }

    public Task DisposeAsync() => Cluster.DisposeAsync().AsTask();

    /// <summary>Alice writes to bob, with the keys and the password she had, and that is all he gets.</summary>
    internal async Task StillTalkAsync()
    {
        var text = $"talk {Interlocked.Increment(ref _talks)}";
        var sent = await Alice.DoAsync(["send", "bob", text]);
        Assert.Equal("kept", Assert.Single(sent).GetProperty("state").GetString());
        var read = await Bob.DoAsync(["tail", "--count", "1", "--timeout", "60"]);
        Assert.Equal(text, Assert.Single(read).GetProperty("text").GetString());
        var history = await Alice.DoAsync(["history", "bob"]);
        Assert.Equal(text, history[^1].GetProperty("text").GetString());
    }
}
