using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>A cluster of two fake nodes for each test.</summary>
public abstract class TwoFakeNodes : IAsyncLifetime, IDisposable
{
    private protected FakeCluster Cluster { get; } = new();

    private protected FakeNode N1 { get; private set; } = null!;

    private protected FakeNode N2 { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        N1 = await Cluster.AddNodeAsync("n1");
        N2 = await Cluster.AddNodeAsync("n2");
    }

    public async Task DisposeAsync()
    {
        await N1.DisposeAsync();
        await N2.DisposeAsync();
    }

    public void Dispose()
    {
        Cluster.Dispose();
        GC.SuppressFinalize(this);
    }
}
