using System.Text.Json.Nodes;
using ChordChat.Tests.Cluster.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Interop;

/// <summary>gRPC's own library understands what a real node says over TLS, answers and refusals alike.</summary>
/// <remarks>It also checks the host name, which our own clients do not need: certificates list localhost.</remarks>
public sealed class PythonPeerTests : IAsyncLifetime
{
    private NodeCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await NodeCluster.StartAsync(1);

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [PythonFact]
    public async Task Python_gets_a_right_answer()
    {
        var said = await AskAsync("GetCluster", []);

        Assert.Equal(1, (int?)said["answer"]?["copies"]);
        Assert.Equal(
            Convert.ToBase64String(_cluster.Authority.RawData), (string?)said["answer"]?["authority"]);
    }

    [PythonFact]
    public async Task Python_gets_a_right_status_with_its_detail()
    {
        var said = await AskAsync("GetKdf", new() { ["user"] = "Carol" });

        Assert.Equal("INVALID_ARGUMENT", (string?)said["code"]);
        Assert.StartsWith("a name has 1 to 32 lower-case letters", (string?)said["details"], StringComparison.Ordinal);
        Assert.Equal("correct it and try again", (string?)said["trailers"]?["hint"]);
    }

    [PythonFact]
    public async Task Python_is_refused_with_a_wrong_password()
    {
        var said = await AskAsync("LogIn", new() { ["user"] = "carol", ["secret"] = new string('a', 43) });

        Assert.Equal("UNAUTHENTICATED", (string?)said["code"]);
    }

    private Task<JsonNode> AskAsync(string method, JsonObject request)
    {
        var port = _cluster.AddressOf("n1").Split(':')[1];
        return PythonPeer.AskAsync($"localhost:{port}", _cluster.Authority, method, request);
    }
}
