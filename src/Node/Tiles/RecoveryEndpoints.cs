using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Tiles;

/// <summary>What an operator asks of a tile that may have lost its majority, and the order that he gives: /tiles and
/// /recover, answered only to who holds a certificate for operators.</summary>
/// <remarks>docs/protocol.md#generations.</remarks>
internal static partial class RecoveryEndpoints
{
    public static void MapRecovery(this WebApplication app)
    {
        app.MapGet("/tiles", context => IfServing(context, ListAsync)).OpenTo(Callers.Operators);
        app.MapGet("/tiles/{prefix}/{bits}", context => IfServing(context, TellAsync)).OpenTo(Callers.Operators);
        app.MapPut("/recover", context => IfServing(context, RecoverAsync)).OpenTo(Callers.Operators);
    }

    /// <summary>Not before this node serves: what is on a refused disk is no survivor.</summary>
    private static Task IfServing(HttpContext context, Func<HttpContext, Task> answer)
    {
        if (context.RequestServices.GetRequiredService<DiskGuard>().IsOpen)
            return answer(context);
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        return Task.CompletedTask;
    }

    private static Task ListAsync(HttpContext context) => context.Response.WriteAsJsonAsync(
        context.RequestServices.GetRequiredService<TileDirectory>().All.Select(tile => tile.Tile.ToString()),
        context.RequestAborted);

    private static async Task TellAsync(HttpContext context)
    {
        var words = context.Request.RouteValues;
        var known = TileId.TryParse($"{words["prefix"]}/{words["bits"]}", out var tile)
            ? context.RequestServices.GetRequiredService<TileDirectory>().Of(tile)
            : null;
        if (known is null)
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        else
            await context.Response.WriteAsJsonAsync(
                await ReportAsync(context.RequestServices, known, context.RequestAborted), context.RequestAborted);
    }

    private static async Task RecoverAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var body = new byte[RecoveryOrder.BytesMax];
        var length = await context.Request.Body.ReadAtLeastAsync(
            body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        var order = RecoveryOrder.Read(
            body.AsSpan(0, length), services.GetRequiredService<Genesis>().ClusterHex,
            services.GetRequiredService<ClusterTrust>());
        var directory = services.GetRequiredService<TileDirectory>();
        if (order is null || directory.Of(order.Next.Tile) is not { Splits: var splits })
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        // Where a tile was cut out of wider ones is the same in all its configurations; an order does not repeat it.
        order = order with
        {
            Next = order.Next with { Splits = splits },
            Survivors = order.Survivors with { Splits = splits },
        };

        await CarryOutAsync(services, order).WaitAsync(context.RequestAborted);
        services.GetRequiredService<ConfigurationNews>().Hear(order.Next);
        LogOrdered(
            services.GetRequiredService<ILoggerFactory>().CreateLogger("ChordChat.Node.Tiles"),
            order.Next.Tile.ToString(), order.Next.Generation, order.Survivors.Members.Length);
        await context.Response.WriteAsJsonAsync(
            await ReportAsync(services, directory.Of(order.Next.Tile)!, context.RequestAborted),
            context.RequestAborted);
    }

    private static Task CarryOutAsync(IServiceProvider services, RecoveryOrder order)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var request = new ReplicaRequest.NewConfiguration(order.Next, order.Survivors);
        var self = services.GetRequiredService<LocalNode>().Self.Node;
        if (!services.GetRequiredService<ReplicaWriter>().Submit(request, self, _ => done.TrySetResult()))
            done.SetException(new IOException("this node is overloaded or stopping"));
        return done.Task;
    }

    private static async Task<TileReport> ReportAsync(
        IServiceProvider services, TileConfiguration known, CancellationToken cancellation)
    {
        var (registers, messages) = await services.GetRequiredService<ReplicaWriter>()
            .AskAsync(store => store.CountRecords(known.Tile)).WaitAsync(cancellation);
        var header = services.GetRequiredService<TileBoard>().Of(known.Tile);
        var ring = services.GetRequiredService<RingDriver>().Now;
        return new(
            ring.Self.Node.ToString(), header is null ? null : HeaderFormat.Write(header),
            HeaderFormat.Write(new TileHeader(known, TilePhase.Retired)), registers, messages,
            [.. ring.Members.All.Where(member => member.WasHeard).Select(member => new PeerReport(
                member.Peer.Node.ToString(), member.Peer.Position.ToString(), member.Peer.Name, member.Peer.Address,
                member.Health is not (Health.Leaving or Health.Left)))]);
    }

    [LoggerMessage(2110, LogLevel.Warning,
        "an operator gave up what tile {Tile} has lost: generation {Generation} begins with the rows of {Survivors} "
        + "nodes")]
    private static partial void LogOrdered(ILogger logger, string tile, ulong generation, int survivors);
}
