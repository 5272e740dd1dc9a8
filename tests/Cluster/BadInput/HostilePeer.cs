using System.Net;
using System.Security.Cryptography;
using ChordChat.Node.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>What a server says to every request.</summary>
public enum Nonsense
{
    /// <summary>Nothing, for ever.</summary>
    Silence,

    /// <summary>A page for people.</summary>
    Page,

    /// <summary>An answer without a message and without a status.</summary>
    Nothing,

    /// <summary>Random bytes that are called gRPC.</summary>
    Bytes,

    /// <summary>A message of random bytes, in gRPC's frame.</summary>
    Message,

    /// <summary>The beginning of a message that says it has two gigabytes.</summary>
    Huge,

    /// <summary>Empty messages, one after the other, for ever.</summary>
    Endless,
}

/// <summary>A process that has a node's certificate and nothing sensible to say.</summary>
internal sealed class HostilePeer : IAsyncDisposable
{
    private readonly WebApplication _host;
    private readonly CancellationTokenSource _over = new();
    private int _requestCount;

    private HostilePeer(WebApplication host) => _host = host;

    public string Address { get; private set; } = "";

    /// <summary>So that a test knows that it was asked at all.</summary>
    public int RequestCount => _requestCount;

    /// <param name="authority">Told honestly, when given, so that whoever joins goes on to his next question.</param>
    public static async Task<HostilePeer> StartAsync(NodeIdentity identity, Nonsense says, byte[]? authority = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(new ClusterTls(identity).ServerOptions());
        }));
        var peer = new HostilePeer(builder.Build());
        peer._host.Run(context => authority is not null && context.Request.Path == "/authority"
            ? context.Response.Body.WriteAsync(authority).AsTask()
            : peer.SayAsync(context, says));
        await peer._host.StartAsync();
        var addresses = peer._host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        peer.Address = new Uri(addresses.Addresses.First()).Authority;
        return peer;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _host.StopAsync(now.Token);
        await _host.DisposeAsync();
        _over.Dispose();
    }

    private async Task SayAsync(HttpContext context, Nonsense says)
    {
        Interlocked.Increment(ref _requestCount);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_over.Token, context.RequestAborted);
        try
        {
            context.Response.ContentType = says == Nonsense.Page ? "text/html" : "application/grpc";
            switch (says)
            {
                case Nonsense.Silence:
                    await Task.Delay(Timeout.Infinite, over.Token);
                    break;
                case Nonsense.Page:
                    await context.Response.WriteAsync("<html>welcome</html>", over.Token);
                    break;
                case Nonsense.Bytes:
                    await context.Response.Body.WriteAsync(RandomNumberGenerator.GetBytes(4_096), over.Token);
                    break;
                case Nonsense.Message:
                    await context.Response.Body.WriteAsync(
                        (byte[])[0, 0, 0, 0, 200, .. RandomNumberGenerator.GetBytes(200)], over.Token);
                    break;
                case Nonsense.Huge:
                    await context.Response.Body.WriteAsync((byte[])[0, 0x7f, 0xff, 0xff, 0xff], over.Token);
                    await context.Response.Body.FlushAsync(over.Token);
                    while (true)
                        await context.Response.Body.WriteAsync(new byte[65_536], over.Token);
                case Nonsense.Endless:
                    while (true)
                        await context.Response.Body.WriteAsync(new byte[5 * 1_024], over.Token);
                default:
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            // The other end has had enough, or the test is over.
        }
    }
}
