using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>A node as a client sees it: real gRPC over real TLS 1.3, with <see cref="FakeCluster"/> behind
/// it.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private WebApplication? _host;
    private int _connectionCount;

    private FakeNode(string name, X509Certificate2 certificate, FakeCluster cluster)
    {
        (Name, Cluster) = (name, cluster);
        Id = SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
    }

    public string Name { get; }

    public FakeCluster Cluster { get; }

    public byte[] Id { get; }

    public string Address { get; private set; } = "";

    /// <summary>How many connections were made to it.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    public static async Task<FakeNode> StartAsync(FakeCluster cluster, string name)
    {
        var certificate = cluster.Issue(name);
        var node = new FakeNode(name, certificate, cluster);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => connection =>
            {
                Interlocked.Increment(ref node._connectionCount);
                return next(connection);
            });
            listen.UseHttps(certificate, https => https.SslProtocols = SslProtocols.Tls13);
        }));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(cluster).AddSingleton(node);
        var host = builder.Build();
        host.MapGrpcService<FakeChat>();
        await host.StartAsync();
        node._host = host;
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        node.Address = $"127.0.0.1:{new Uri(addresses.Addresses.Single()).Port}";
        return node;
    }

    /// <summary>Drops every connection without a word, as kill -9 does.</summary>
    public async Task KillAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _host!.StopAsync(now.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        await _host!.DisposeAsync();
    }
}
