using System.Net;
using ChordChat.Node.Admission;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Hosting;

/// <summary>What the commands of this program ask the running node of the same folder.</summary>
/// <remarks>Answered only to who holds the key of this very node, or that of the cluster's authority.</remarks>
internal static class OperatorEndpoints
{
    public const string DrainPath = "/operator/drain";
    public const string SafetyPath = "/operator/safe-to-stop";

    /// <summary>The last line of a drain that went well.</summary>
    public const string Drained = "drained: every tile is with others; the node stops";

    private static readonly TimeSpan Tell = TimeSpan.FromMilliseconds(500);

    public static void MapOperator(this WebApplication app)
    {
        app.MapPost(DrainPath, DrainAsync).OpenTo(Callers.Operators | Callers.OwnFolder);
        app.MapGet(SafetyPath, SayWhetherSafeAsync).OpenTo(Callers.Operators | Callers.OwnFolder);
    }

    private static async Task DrainAsync(HttpContext context)
    {
        var departure = context.RequestServices.GetRequiredService<Departure>();
        if (!departure.CanBeTakenOver)
        {
            context.Response.StatusCode = (int)HttpStatusCode.Conflict;
            await context.Response.WriteAsync(
                "the nodes that would stay are too few to keep every copy: join another node first. To stop this one "
                + "for a while, send it SIGTERM\n", context.RequestAborted);
            return;
        }

        var going = departure.Drain();
        for (var told = -1; departure.TilesLeft is var left && left > 0 && !going.IsCompleted;)
        {
            if (left != told)
                await SayAsync(context, $"{left} tiles left");
            told = left;
            await Task.WhenAny(going, Task.Delay(Tell, context.RequestAborted));
        }

        await SayAsync(context, Drained);
    }

    private static async Task SayAsync(HttpContext context, string line)
    {
        await context.Response.WriteAsync(line + "\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static async Task SayWhetherSafeAsync(HttpContext context)
    {
        var safety = context.RequestServices.GetRequiredService<SafetyOfStopping>();
        var obstacles = await safety.ObstaclesAsync(context.RequestAborted);
        if (obstacles.Count > 0)
            context.Response.StatusCode = (int)HttpStatusCode.Conflict;
        await context.Response.WriteAsync(
            obstacles.Count == 0 ? "yes\n" : string.Join('\n', obstacles) + "\n", context.RequestAborted);
    }
}
