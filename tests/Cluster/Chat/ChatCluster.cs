using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using ChordChat.Crypto;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>Nodes with the real chat over real gRPC and TLS, on a replication and a link in memory.</summary>
public sealed class ChatCluster : IAsyncLifetime
{
    private readonly List<WebApplication> _hosts = [];
    private readonly List<GrpcChannel> _channels = [];
    private readonly ChatOptions _options;
    private readonly SessionPolicy _policy;

    internal ChatCluster(int nodeCount, SessionPolicy policy = SessionPolicy.Takeover, ChatOptions? options = null)
    {
        (_policy, _options) = (policy, options ?? Quick);
        Nodes = [.. Enumerable.Range(1, nodeCount).Select(i => new Peer(
            new NodeId((UInt128)i, (UInt128)i), new RingId((UInt128)i << 100), $"n{i}", $"127.0.0.1:{i}"))];
        Replication = new MemoryReplication(Nodes);
        Link = new MemoryPeers(Nodes);
    }

    /// <summary>As always, only faster.</summary>
    internal static ChatOptions Quick { get; } = new()
    {
        BcryptCost = 10,
        HeartbeatInterval = TimeSpan.FromMilliseconds(500),
        KeeperInterval = TimeSpan.FromMilliseconds(100),
        RetryPause = TimeSpan.FromMilliseconds(100),
        QuestionsPerUserMax = 100_000, // Tests ask again and again until something is so.
    };

    public static ClusterId Id { get; } = ClusterId.New();

    internal IReadOnlyList<Peer> Nodes { get; }
    internal MemoryReplication Replication { get; }
    internal MemoryPeers Link { get; }

    /// <summary>A client of node <paramref name="node"/>, from 0.</summary>
    public Wire.Chat.ChatClient Client(int node) => new(_channels[node]);

    /// <summary>What somebody who has an account shows when asking about people.</summary>
    public Metadata Pass => PassOf(Get<Passes>(0).Issue("visitor"));

    public static Metadata PassOf(byte[] pass) => new() { { Askers.Header, pass } };

    internal T Get<T>(int node)
        where T : notnull => _hosts[node].Services.GetRequiredService<T>();

    public async Task InitializeAsync()
    {
        foreach (var node in Nodes)
            await StartAsync(node);
    }

    public async Task DisposeAsync()
    {
        foreach (var channel in _channels)
            channel.Dispose();
        foreach (var host in _hosts)
            await host.DisposeAsync();
    }

    public Task StopAsync(int node) => _hosts[node].StopAsync();

    private async Task StartAsync(Peer self)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(SelfSigned);
        }));
        builder.Services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<UnreadAnswers>()
            .AddSingleton(new ChatIdentity
            {
                Self = self,
                Cluster = Id,
                Authority = SelfSigned.RawData,
                TicketKey = new byte[32],
                Policy = _policy,
            })
            .AddSingleton<IRegisters>(Replication)
            .AddSingleton<IRegisterGlimpses>(Replication)
            .AddSingleton<IMessageSets>(Replication)
            .AddSingleton<IMailboxCounts>(Replication)
            .AddSingleton<IPeerChat>(Link)
            .AddChat(_options)
            .AddGrpc();
        var host = builder.Build();
        host.MapGrpcService<ChatService>();
        Link.Add(self, host.Services.GetRequiredService<PeerRequests>());
        await host.StartAsync();
        _hosts.Add(host);
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        _channels.Add(GrpcChannel.ForAddress(addresses.Addresses.First(), new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                EnableMultipleHttp2Connections = true,
                SslOptions =
                {
                    RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                        certificate?.GetCertHashString() == SelfSigned.Thumbprint,
                },
            },
            DisposeHttpClient = true,
        }));
    }

    private static X509Certificate2 SelfSigned { get; } = MakeCertificate();

    private static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
