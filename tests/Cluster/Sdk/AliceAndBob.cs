using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>Two people who are online at the only node of a cluster in memory.</summary>
public abstract class AliceAndBob : IAsyncLifetime, IDisposable
{
    private protected FakeCluster Cluster { get; } = new();

    private protected FakeNode N1 { get; private set; } = null!;

    private protected Person Alice { get; private set; } = null!;

    private protected Person Bob { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        N1 = await Cluster.AddNodeAsync("n1");
        Alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        Bob = await (await Person.RegisterAsync("bob", N1)).OnlineAsync();
    }

    public async Task DisposeAsync()
    {
        await Alice.DisposeAsync();
        await Bob.DisposeAsync();
        await N1.DisposeAsync();
    }

    /// <summary>Bob reads "1" of Alice, and her "2" gets lost on its way to him.</summary>
    private protected async Task LoseSecondOfAliceAsync()
    {
        Alice.Client.Send("bob", "1");
        Assert.Equal(["1"], await Bob.ReadAsync(1));
        var lost = "";
        Cluster.Tamper = pushes => [.. pushes.Where(push => Convert.ToHexStringLower(push.Id.Span) != lost)];
        Cluster.HasQuorum = false;
        lost = Alice.Client.Send("bob", "2");
        await Alice.WaitAsync(lost, MessageState.Queued);
        Cluster.HasQuorum = true;
    }

    public void Dispose()
    {
        Cluster.Dispose();
        GC.SuppressFinalize(this);
    }
}
