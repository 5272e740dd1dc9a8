using System.Net;
using ChordChat.Core.Tiles;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using ChordChat.Node.Tiles;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>A process with a node's certificate that tells the operator of one tile whatever a test likes, and does
/// what an order says.</summary>
internal sealed class TellingNode : IAsyncDisposable
{
    private readonly NodeIdentity _identity;
    private readonly WebApplication _host;
    private int _askedCount;

    private TellingNode(NodeIdentity identity, WebApplication host) => (_identity, _host) = (identity, host);

    public string Address { get; private set; } = "";

    public int Port => new Uri($"https://{Address}").Port;

    /// <summary>What it answers: a <see cref="TileReport"/>, a text to send as it is, or null for 404.</summary>
    public Func<object?> Tells { get; set; } = () => null;

    /// <summary>What it answers at other paths: text and bytes as they are, everything else as JSON. Whatever it is
    /// handed there, it takes.</summary>
    public Dictionary<string, object> Says { get; } = [];

    public int AskedCount => _askedCount;

    public RecoveryOrder? Ordered { get; private set; }

    /// <param name="identity">Who it is.</param>
    /// <param name="everywhere">At every address of loopback, not just at 127.0.0.1.</param>
    public static async Task<TellingNode> StartAsync(NodeIdentity identity, bool everywhere = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            everywhere ? IPAddress.Any : IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(new ClusterTls(identity).ServerOptions());
            }));
        var node = new TellingNode(identity, builder.Build());
        node._host.Run(node.AnswerAsync);
        await node._host.StartAsync();
        var addresses = node._host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        node.Address = $"127.0.0.1:{new Uri(addresses.Addresses.First()).Port}";
        return node;
    }

    /// <summary>What an honest node would tell.</summary>
    public TileReport Report(TileHeader? header, TileConfiguration known, params PeerReport[] others) => new(
        _identity.Self.Node.ToString(), header is null ? null : HeaderFormat.Write(header),
        HeaderFormat.Write(new TileHeader(known, TilePhase.Retired)), 3, 4, [Peer(), .. others]);

    public PeerReport Peer() => new(
        _identity.Self.Node.ToString(), _identity.Self.Position.ToString(), _identity.Self.Name, Address, Stays: true);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _host.StopAsync(now.Token);
        await _host.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref _askedCount);
        if (Says.TryGetValue(context.Request.Path, out var said))
        {
            if (context.Request.Method == HttpMethods.Put)
                context.Response.StatusCode = StatusCodes.Status204NoContent;
            else if (said is string text)
                await context.Response.WriteAsync(text);
            else if (said is byte[] bytes)
                await context.Response.Body.WriteAsync(bytes);
            else
                await context.Response.WriteAsJsonAsync(said);
            return;
        }

        if (context.Request.Method == HttpMethods.Put)
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            Ordered = RecoveryOrder.Read(body.ToArray(), _identity.Genesis.ClusterHex, _identity.Trust);
            var next = Ordered!.Next;
            var told = Tells() as TileReport;
            var header = new TileHeader(next, TilePhase.Active, Previous: Ordered.Survivors);
            Tells = () => Report(header, next, told?.Peers[1..] ?? []);
        }

        switch (Tells())
        {
            case TileReport report:
                await context.Response.WriteAsJsonAsync(report);
                break;
            case string words:
                await context.Response.WriteAsync(words);
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }
}
