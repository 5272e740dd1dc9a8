using System.Net;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Operations;

/// <summary>What the commands of this program ask the running node of the same folder.</summary>
/// <remarks>Answered only to who holds the key of this very node, or that of the cluster's authority.</remarks>
internal static class OperatorEndpoints
{
    public const string DrainPath = "/operator/drain";
    public const string SafetyPath = "/operator/safe-to-stop";

    /// <summary>What this node was told by its file, the environment and the command line.</summary>
    public const string GivenPath = "/operator/settings";

    /// <summary>What is to be the same at all nodes.</summary>
    public const string SettingsPath = "/settings";

    /// <summary>The last line of a drain that went well.</summary>
    public const string Drained = "drained: every tile is with others; the node stops";

    private static readonly TimeSpan Tell = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    public static void MapOperator(this WebApplication app)
    {
        app.MapPost(DrainPath, DrainAsync).OpenTo(Callers.Operators | Callers.OwnFolder);
        app.MapGet(SafetyPath, SayWhetherSafeAsync).OpenTo(Callers.Operators | Callers.OwnFolder);
        app.MapGet(GivenPath, context => context.Response.WriteAsJsonAsync(
            context.RequestServices.GetRequiredService<GivenSettings>().Values, context.RequestAborted))
            .OpenTo(Callers.Operators | Callers.OwnFolder);
        app.MapGet(SettingsPath, context => context.Response.WriteAsJsonAsync(
            context.RequestServices.GetRequiredService<ClusterSettings>().Values, context.RequestAborted))
            .OpenTo(Callers.Members | Callers.Operators);
    }

    private static async Task DrainAsync(HttpContext context)
    {
        var departure = context.RequestServices.GetRequiredService<Departure>();
        if (!departure.CanBeTakenOver)
        {
            context.Response.StatusCode = (int)HttpStatusCode.Conflict;
            await context.Response.WriteAsync(
                "the nodes that would stay are too few to keep every copy: join another node first\n"
                + ForAWhile(await ObstaclesAsync(context)), context.RequestAborted);
            return;
        }

        var going = departure.Drain();
        for (var told = -1; departure.TilesLeft is var left && left > 0 && !going.IsCompleted;)
        {
            if (left != told)
                await SayAsync(context, left == 1 ? "1 tile left" : $"{left} tiles left");
            told = left;
            await Task.WhenAny(going, Task.Delay(Tell, context.RequestAborted));
            context.RequestAborted.ThrowIfCancellationRequested(); // The drain goes on.
        }

        while (!departure.IsDrained && !going.IsCompleted)
        {
            await Task.WhenAny(going, Task.Delay(Look, context.RequestAborted));
            context.RequestAborted.ThrowIfCancellationRequested();
        }

        await SayAsync(context, departure.IsDrained ? Drained : NotDrained(departure.TilesLeft));
    }

    private static string NotDrained(int tiles) => tiles > 0
        ? $"not drained: the node was told to stop and still holds copies of {tiles} tiles that nobody has taken over; "
            + "keep its folder, and start it again"
        : "not drained: the node stops without the mark that it has gone for good (its log may say why); keep its "
            + "folder, start it, and drain it again";

    private static async Task SayAsync(HttpContext context, string line)
    {
        await context.Response.WriteAsync(line + "\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    private static async Task SayWhetherSafeAsync(HttpContext context)
    {
        var obstacles = await ObstaclesAsync(context);
        if (obstacles.Count > 0)
            context.Response.StatusCode = (int)HttpStatusCode.Conflict;
        await context.Response.WriteAsync(
            obstacles.Count == 0 ? "yes\n" : Lines(obstacles), context.RequestAborted);
    }

    /// <summary>Whether a node that cannot be drained can be stopped for a while: as safe-to-stop says it.</summary>
    public static string ForAWhile(IReadOnlyList<string> obstacles) => obstacles.Count == 0
        ? "It is safe to stop it for a while: send it SIGTERM.\n"
        : "It is not safe to stop it for a while either (safe-to-stop):\n" + Lines(obstacles);

    private static Task<IReadOnlyList<string>> ObstaclesAsync(HttpContext context) =>
        context.RequestServices.GetRequiredService<SafetyOfStopping>().ObstaclesAsync(context.RequestAborted);

    private static string Lines(IEnumerable<string> obstacles) => string.Join('\n', obstacles) + "\n";
}
