using System.Net;
using System.Net.Sockets;
using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, "First contact": whoever falls silent is unreachable; only one that answered as something else
/// is no node.</summary>
public sealed class DyingNodeTests
{
    private const int StepBytes = 61;

    /// <summary>A node that dies after each so many bytes of what it says, in the handshake and after it, to a profile
    /// that knows no cluster yet.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_dies_at_any_moment_of_the_first_contact_is_unreachable(bool resets)
    {
        using var cluster = new FakeCluster();
        await using var node = await cluster.AddNodeAsync("n1");
        var tries = 0;
        for (var bytes = 0; await ContactAsync(node.Address, bytes, resets) is { } code; bytes += StepBytes)
        {
            Assert.True(code == "unreachable", $"{code} after {bytes} bytes");
            Assert.InRange(++tries, 1, 1_000);
        }

        Assert.NotEqual(0, tries);
    }

    /// <returns>What the failure is called, or null when there was none.</returns>
    private static async Task<string?> ContactAsync(string node, int bytes, bool resets)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var over = new CancellationTokenSource();
        var dying = RelayAsync(listener, node, bytes, resets, over.Token);
        try
        {
            using var link = await NodeLink.OpenAsync(
                listener.LocalEndpoint.ToString()!, new ClusterTrust(null), CancellationToken.None);
            return null;
        }
        catch (ChordChatException failure)
        {
            return failure.Code;
        }
        finally
        {
            await over.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dying);
        }
    }

    /// <summary>Passes everything on, but of what the node says so many bytes only; one connection after the
    /// other.</summary>
    private static async Task RelayAsync(
        TcpListener listener, string node, int bytes, bool resets, CancellationToken over)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync(over);
            using var server = new TcpClient();
            await server.ConnectAsync(IPEndPoint.Parse(node), over);
            var asking = client.GetStream().CopyToAsync(server.GetStream(), over);
            try
            {
                await PassAsync(server.GetStream(), client.GetStream(), bytes, over);
            }
            catch (IOException)
            {
                // The client has hung up first.
            }

            client.LingerState = new(resets, 0);
            client.Close();
            server.Close();
            await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task PassAsync(NetworkStream from, NetworkStream to, int bytes, CancellationToken over)
    {
        var buffer = new byte[64 * 1024];
        for (var left = bytes; left > 0;)
        {
            var read = await from.ReadAsync(buffer.AsMemory(0, Math.Min(left, buffer.Length)), over);
            if (read == 0)
                break;
            left -= read;
            await to.WriteAsync(buffer.AsMemory(0, read), over);
        }
    }
}
