using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using ChordChat.Node;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Ring;
using ChordChat.Node.Storage;
using ChordChat.Node.Tiles;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>A new cluster of whole nodes in this process: free loopback ports, no multicast, each seeded with another's
/// address; what takes minutes in the field takes a second.</summary>
internal sealed class NodeCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private static readonly IConfiguration Settings = new ConfigurationBuilder()
        .AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Chat:BcryptCost"] = "10", // Registering is not what these tests are about.
            ["Membership:Quarantine"] = "00:00:00.2",
            ["Membership:ProbeInterval"] = "00:00:00.3",
            ["Ring:StabilizeInterval"] = "00:00:00.3",
            ["Ring:AuditInterval"] = "00:00:00.5",
            ["Steward:PreferredFor"] = "00:00:01",
            ["Steward:Step"] = "00:00:00.5",
            ["Steward:ChangeEvery"] = "00:00:01",
            ["Scrub:Every"] = "00:00:01",
            ["Repair:Every"] = "00:00:02",
        })
        .Build();

    private readonly string _root = Directory.CreateTempSubdirectory("chordchat-nodes-").FullName;
    private readonly ClusterFolder _folder;
    private readonly IConfiguration _settings;
    private readonly Action<string, IServiceCollection>? _others;
    private readonly SortedDictionary<string, RunningNode> _running = [];
    private readonly List<RunningNode> _copies = [];

    private NodeCluster(
        int founders, Dictionary<string, string?> settings, Action<string, IServiceCollection>? others)
    {
        _others = others;
        _settings = new ConfigurationBuilder().AddConfiguration(Settings).AddInMemoryCollection(settings).Build();
        _folder = new(_root);
        var names = Enumerable.Range(1, founders).Select(i => $"n{i}").ToArray();
        var plan = new ClusterPlan(names, Math.Min(2, founders - 1), SessionPolicy.Takeover, Demo: false);
        _folder.Create(plan, DateTimeOffset.UtcNow);
    }

    public RunningNode this[string name] => _running[name];

    public IEnumerable<string> Names => _running.Keys;

    /// <summary>Founds a cluster, starts its nodes one after the other and waits until each can write to a quorum and
    /// sees all others.</summary>
    /// <param name="settings">What is different from what all these tests share.</param>
    /// <param name="absent">How many of the founders are not started.</param>
    /// <param name="others">Puts services in the place of those of the node in this folder.</param>
    public static async Task<NodeCluster> StartAsync(
        int founders, Dictionary<string, string?>? settings = null, int absent = 0,
        Action<string, IServiceCollection>? others = null)
    {
        var cluster = new NodeCluster(founders, settings ?? [], others);
        for (var i = 1; i <= founders - absent; i++)
            await cluster.StartAsync($"n{i}");
        await cluster.SettleAsync();
        return cluster;
    }

    /// <summary>Who a node is, whether it runs or not.</summary>
    public NodeIdentity IdentityOf(string name) => NodeIdentity.Read(DataOf(name));

    /// <summary>A genuine node of the cluster that holds nothing and is not started: anybody who was given a
    /// certificate.</summary>
    public NodeIdentity Enrol(string name)
    {
        using var authority = _folder.OpenAuthority();
        _folder.Enrol(authority, name, DateTimeOffset.UtcNow)
            .Write(DataOf(name), _folder.ReadGenesisFile(), _folder.ReadSecret());
        return IdentityOf(name);
    }

    /// <summary>Starts a node on a port that it has not had before in this test.</summary>
    public async Task<RunningNode> StartAsync(string name) => _running[name] = await StartFromAsync(DataOf(name));

    /// <summary>Starts another process, as it were, on a copy of a node's folder; the cluster does not count
    /// it.</summary>
    public async Task<RunningNode> StartCopyAsync(string data)
    {
        var copy = await StartFromAsync(data);
        _copies.Add(copy);
        return copy;
    }

    public async Task StopCopyAsync(RunningNode copy)
    {
        _copies.Remove(copy);
        await copy.DisposeAsync();
    }

    /// <summary>The node's folder.</summary>
    public string DataOf(string name) => _folder.NodeFolder(name);

    private async Task<RunningNode> StartFromAsync(string data)
    {
        var options = new NodeOptions
        {
            Data = data,
            Listen = new("127.0.0.1", 0),
            Multicast = false,
            // By name, as in containers; of one node only: the others must hear of it from each other.
            Seeds = [.. _running.Values.TakeLast(1).Select(SeedAt)],
            LogLevel = Serilog.Events.LogEventLevel.Fatal,
        };
        return await RunningNode.StartAsync(options, _settings, CancellationToken.None, services =>
        {
            FreeRows.Open(services);
            _others?.Invoke(data, services);
        });
    }

    /// <summary>A new machine: gets a token, fetches its identity from a running node with it, and starts.</summary>
    public async Task<RunningNode> JoinAsync(string through)
    {
        var now = DateTimeOffset.UtcNow;
        var token = await Invitation.InviteAsync(
            _folder, AddressOf(through), null, TimeSpan.FromMinutes(1), now, CancellationToken.None);
        var bundle = await Invitation.FetchAsync(token, now, CancellationToken.None);
        bundle.Identity.Write(_folder.NodeFolder(token.Name), bundle.Genesis, bundle.Secret);
        return await StartAsync(token.Name);
    }

    public async Task StopAsync(string name)
    {
        _running.Remove(name, out var node);
        await node!.DisposeAsync();
    }

    /// <summary>The file that a node keeps everything in.</summary>
    public string DatabaseOf(string name) => Path.Combine(_folder.NodeFolder(name), NodeDatabase.FileName);

    /// <summary>Stops a node whose disk is lost for good.</summary>
    public async Task DestroyAsync(string name)
    {
        await StopAsync(name);
        Directory.Delete(_folder.NodeFolder(name), recursive: true);
    }

    /// <summary>The operator's folder.</summary>
    public string Root => _root;

    public string AddressOf(string name) => this[name].Node.Self.Address;

    /// <summary>The certificate that every node's is issued by.</summary>
    public X509Certificate2 Authority => NodeIdentity.Read(_folder.NodeFolder("n1")).Trust.Authority;

    public IRegisters Registers(string at) => this[at].Services.GetRequiredService<IRegisters>();

    public IMessageSets Sets(string at) => this[at].Services.GetRequiredService<IMessageSets>();

    public Membership MembersSeenBy(string name) => this[name].Services.GetRequiredService<RingDriver>().Now.Members;

    /// <summary>Waits until every running node sees all others where they are and can write to a quorum.</summary>
    public Task SettleAsync() => Condition.UntilAsync(
        $"{string.Join(' ', Names)} see each other and can write", Patience, async () =>
        {
            foreach (var (name, node) in _running)
            {
                if (_running.Values.Any(other => other != node && !Sees(name, other)))
                    return false;
                var probe = node.Services.GetRequiredService<ReadinessProbe>();
                if (await probe(CancellationToken.None) is not null)
                    return false;
            }

            return true;
        });

    private bool Sees(string name, RunningNode other) =>
        MembersSeenBy(name)[other.Node.Self.Node] is { IsReachable: true } member
        && member.Peer.Address == other.Node.Self.Address;

    private static HostPort SeedAt(RunningNode node) => HostPort.TryParse(node.Node.Self.Address, out var at)
        ? at with { Host = "localhost" }
        : throw new FormatException(node.Node.Self.Address);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_running.Values.Concat(_copies).Select(node => node.DisposeAsync().AsTask()));
        Directory.Delete(_root, recursive: true);
    }
}
