using System.Net;
using ChordChat.Node.Links;
using ChordChat.Node.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace ChordChat.Node.Operations;

/// <summary>/healthz: the process lives. /readyz: a write to a quorum has just succeeded. The same twice by
/// grpc.health.v1.</summary>
internal static class HealthEndpoints
{
    /// <summary>The names by which grpc.health.v1 is asked: "" means alive, this one ready.</summary>
    public const string ReadyService = "chordchat.v1.Chat";

    private const string ReadyCheck = "ready";

    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        services.AddSingleton<Readiness>()
            .AddGrpcHealthChecks(grpc =>
            {
                grpc.Services.Map("", check => check.Name != ReadyCheck);
                grpc.Services.Map(ReadyService, check => check.Name == ReadyCheck);
            })
            .AddCheck("alive", () => HealthCheckResult.Healthy())
            .AddCheck<Readiness>(ReadyCheck);
        return services;
    }

    public static void MapHealth(this WebApplication app)
    {
        var readiness = app.Services.GetRequiredService<Readiness>();
        var room = app.Services.GetRequiredService<DiskRoom>();
        app.MapGet("/healthz", context => Say(
            context, HttpStatusCode.OK,
            room.Shortage is { } shortage ? $"alive, but it keeps no new messages: {shortage}" : "alive"))
            .OpenTo(Callers.Everybody);
        app.MapGet("/readyz", async context =>
        {
            var why = await readiness.AskAsync();
            await (why is null
                ? Say(context, HttpStatusCode.OK, "ready")
                : Say(context, HttpStatusCode.ServiceUnavailable, $"not ready: {why}"));
        }).OpenTo(Callers.Everybody);
    }

    /// <summary>After the node's own services: the first one mapped also opens what answers for unknown
    /// services.</summary>
    public static void MapStandardServices(this WebApplication app)
    {
        app.MapGrpcHealthChecksService().OpenTo(Callers.Everybody);
        app.MapGrpcReflectionService().OpenTo(Callers.Operators);
    }

    /// <summary>On the plain port there is nothing but health.</summary>
    public static void UseHealthPort(this WebApplication app, IPEndPoint? health)
    {
        if (health is null)
            return;
        app.Use((context, next) =>
            context.Connection.LocalPort == health.Port && context.Request.Path.Value is not ("/healthz" or "/readyz")
                ? Say(context, HttpStatusCode.NotFound, "only /healthz and /readyz are here; the node speaks TLS on "
                    + "its own port")
                : next(context));
    }

    private static Task Say(HttpContext context, HttpStatusCode code, string text)
    {
        context.Response.StatusCode = (int)code;
        context.Response.ContentType = "text/plain";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }
}
