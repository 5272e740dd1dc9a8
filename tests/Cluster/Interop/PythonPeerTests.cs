using ChordChat.Tests.Cluster.StandIns;
using Xunit;

namespace ChordChat.Tests.Cluster.Interop;

/// <summary>gRPC's own library understands what our services say over TLS, answers and refusals alike.</summary>
public sealed class PythonPeerTests : IAsyncLifetime
{
    private CallServer _server = null!;

    public async Task InitializeAsync() => _server = await CallServer.StartAsync(new EchoChat());

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [PythonFact]
    public async Task Python_gets_a_right_answer()
    {
        var said = await PythonPeer.AskAsync($"localhost:{_server.Port}", _server.Certificate, "GetCluster");

        Assert.Equal(3, (int?)said["answer"]?["copies"]);
    }

    [PythonFact]
    public async Task Python_gets_a_right_status_with_detail_and_hint()
    {
        var said = await PythonPeer.AskAsync(
            $"localhost:{_server.Port}", _server.Certificate, "GetKdf", new() { ["user"] = "carol" });

        Assert.Equal("NOT_FOUND", (string?)said["code"]);
        Assert.Equal("nobody is called carol", (string?)said["details"]);
        Assert.Equal("register first", (string?)said["trailers"]?["hint"]);
    }
}
