using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ChordChat.Node.Identity;
using ChordChat.Tests.Cluster.Admission;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Limits": who opens connections and says nothing does not end a node.</summary>
public sealed class DescriptorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_node_with_1024_descriptors_serves_beside_1000_idle_connections()
    {
        if (!OperatingSystem.IsLinux())
            return;
        await using var cluster = Founded.Of(1);
        var folder = cluster.Cluster.NodeFolder("n1");
        var program = Path.Combine(AppContext.BaseDirectory, "chordchat-node.dll");
        using var node = Process.Start(new ProcessStartInfo("/bin/sh", [
            "-c", "ulimit -n 1024; exec dotnet \"$0\" run --data \"$1\" --listen 127.0.0.1:0 "
                + "--multicast-group 239.255.67.67:17399", program, folder,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var log = Task.WhenAll(node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        var idle = new List<Socket>();
        try
        {
            var file = Path.Combine(folder, "address");
            await Condition.UntilAsync("the node says where it is", Patience, () => Task.FromResult(
                node.HasExited || (File.Exists(file) && File.ReadAllText(file).Contains(':'))));
            var address = IPEndPoint.Parse(File.ReadAllText(file).Trim());
            for (var i = 0; i < 1_000; i++)
            {
                idle.Add(new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
                await idle[^1].ConnectAsync(address);
            }

            await Condition.UntilAsync("the node serves", Patience, () => IsAliveAsync(cluster, address));
            Assert.False(node.HasExited);
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
            if (!node.HasExited)
                node.Kill();
            await node.WaitForExitAsync();
        }

        Assert.Contains("file descriptors", string.Concat(await log), StringComparison.Ordinal);
    }

    private static async Task<bool> IsAliveAsync(Founded cluster, IPEndPoint address)
    {
        using var http = new HttpClient(ClusterTls.CreateHandler(cluster.Identity("n1").Trust, null));
        try
        {
            return await http.GetStringAsync($"https://{address}/healthz") == "alive\n";
        }
        catch (HttpRequestException)
        {
            return false; // It is closed while too many others are in their handshake.
        }
    }
}
