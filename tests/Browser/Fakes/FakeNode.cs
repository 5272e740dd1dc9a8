using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChordChat.Tests.Browser.Fakes;

/// <summary>A node's View and Chat services on a real port, telling what the scripted cluster says.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;

    private FakeNode(string name, FakeCluster cluster, X509Certificate2 certificate)
    {
        (Name, Cluster, _certificate) = (name, cluster, certificate);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(certificate, https => https.SslProtocols = SslProtocols.Tls13);
        }));
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(this);
        _app = builder.Build();
        _app.MapGrpcService<FakeView>();
        _app.MapGrpcService<FakeChat>();
    }

    public string Name { get; }

    public FakeCluster Cluster { get; }

    public bool Frozen { get; set; }

    /// <summary>What it calls itself; its name unless it lies.</summary>
    public string? SaidName { get; set; }

    public string Address => $"localhost:{new Uri(_app.Urls.First()).Port}";

    public static async Task<FakeNode> StartAsync(string name, FakeCluster cluster, X509Certificate2 certificate)
    {
        var node = new FakeNode(name, cluster, certificate);
        await node._app.StartAsync();
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true)); // Breaks every connection at once.
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    public Task WaitIfFrozenAsync(CancellationToken cancellation) =>
        Frozen ? Task.Delay(Timeout.Infinite, cancellation) : Task.CompletedTask;
}

internal sealed class FakeView(FakeNode node) : View.ViewBase
{
    public override async Task Watch(
        WatchRequest request, IServerStreamWriter<Snapshot> answers, ServerCallContext context)
    {
        await foreach (var _ in node.Cluster.WatchAsync(context.CancellationToken))
        {
            await node.WaitIfFrozenAsync(context.CancellationToken);
            await answers.WriteAsync(node.Cluster.SnapshotFor(node.Name), context.CancellationToken);
        }
    }

    public override Task<TraceReply> Trace(TraceRequest request, ServerCallContext context) =>
        request.Name.Contains(' ', StringComparison.Ordinal)
            ? throw new RpcException(new Status(StatusCode.InvalidArgument, "A name has no spaces."))
            : Task.FromResult(FakeRing.Trace(node.Cluster.Members, node.Name, request.Name));
}

internal sealed class FakeChat(FakeNode node) : Chat.ChatBase
{
    public override async Task<ClusterInfo> GetCluster(GetClusterRequest request, ServerCallContext context)
    {
        await node.WaitIfFrozenAsync(context.CancellationToken);
        return new ClusterInfo
        {
            NodeName = node.SaidName ?? node.Name,
            Authority = ByteString.CopyFrom(node.Cluster.Authority),
        };
    }
}
