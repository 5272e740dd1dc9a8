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

    public void Dispose()
    {
        Cluster.Dispose();
        GC.SuppressFinalize(this);
    }
}
