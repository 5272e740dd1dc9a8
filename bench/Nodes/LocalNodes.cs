using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Grpc.Net.Client;

namespace ChordChat.Bench.Nodes;

/// <summary>A demo cluster in a temporary folder; its processes end and its folder goes with this object.</summary>
internal sealed class LocalNodes : IAsyncDisposable
{
    /// <summary>For all users but those of the logins scenario: their passwords are not what is measured.</summary>
    private const int CheapBcryptCost = 10;

    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(60);
    private readonly string _program;
    private readonly string _folder;
    private readonly List<LocalNode> _nodes = [];

    private LocalNodes(string program, string folder) => (_program, _folder) = (program, folder);

    public IReadOnlyList<LocalNode> All => _nodes;

    /// <summary>The only node that makes passwords of the full cost; see <see cref="Cheap"/>.</summary>
    public LocalNode Careful => _nodes[0];

    /// <summary>The node to register users at whose passwords do not matter.</summary>
    public LocalNode Cheap => _nodes[^1];

    public TimeSpan CpuTime => _nodes.Aggregate(TimeSpan.Zero, (sum, node) => sum + node.CpuTime);

    public long WorkingSetBytes => _nodes.Sum(node => node.WorkingSetBytes);

    public static async Task<LocalNodes> StartAsync(BenchOptions options, CancellationToken cancellation)
    {
        var program = await BuiltProgram.NodeAsync(cancellation);
        var nodes = new LocalNodes(program, Directory.CreateTempSubdirectory("chordchat-bench-").FullName);
        try
        {
            await BuiltProgram.RunAsync(
                program, ["cluster", "init", "--data", nodes._folder, "--nodes", $"{options.NodeCount}", "--demo"],
                cancellation);
            var beacons = FreePort(SocketType.Dgram, ProtocolType.Udp);
            for (var i = 1; i <= options.NodeCount; i++)
                nodes._nodes.Add(new LocalNode(
                    program, nodes._folder, $"n{i}", FreePort(SocketType.Stream, ProtocolType.Tcp), beacons,
                    i == 1 ? options.BcryptCost : CheapBcryptCost));
            await Task.WhenAll(nodes._nodes.Select(node => ReadyAsync(node, cancellation)));
            return nodes;
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets the last node go for good, with the operator's own command.</summary>
    public Task DrainLastAsync(CancellationToken cancellation) => BuiltProgram.RunAsync(
        _program, ["drain", "--data", Path.Combine(_folder, "nodes", Cheap.Name)], cancellation);

    /// <summary>What a node has logged so far.</summary>
    public string LogOf(LocalNode node)
    {
        using var log = new FileStream(
            Path.Combine(_folder, $"{node.Name}.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        return new StreamReader(log).ReadToEnd();
    }

    /// <summary>A connection of its own to one of the nodes, as every client has.</summary>
    public static GrpcChannel Connect(LocalNode node) => GrpcChannel.ForAddress($"https://{node.Address}", new()
    {
        HttpHandler = Handler(),
        DisposeHttpClient = true,
    });

    public ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            node.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static SocketsHttpHandler Handler() => new()
    {
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        // The nodes are processes of this one: who they are needs no proof.
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = static (_, presented, _, _) => presented is not null,
        },
    };

    /// <summary>Ends when a node says that it is ready.</summary>
    /// <exception cref="BenchFailedException">It ended, or took more than a minute.</exception>
    public static async Task ReadyAsync(LocalNode node, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(ReadyTimeout);
        using var client = new HttpClient(Handler());
        while (true)
        {
            if (node.HasEnded)
                throw new BenchFailedException($"{node.Name} has ended while it started");
            try
            {
                using var answer = await client.GetAsync(new Uri($"https://{node.Address}/readyz"), patience.Token);
                if (answer.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw new BenchFailedException($"{node.Name} was not ready in {ReadyTimeout.TotalSeconds:0} s");
            }

            await Task.Delay(100, cancellation);
        }
    }

    public static int FreePort(SocketType type, ProtocolType protocol)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
