using System.Globalization;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using Microsoft.AspNetCore.Http.Features;

namespace ChordChat.Node.Operations;

/// <summary>How a new member gets in over the network: /authority for everybody, /invites for the operator, /join for
/// who has a token.</summary>
internal static partial class AdmissionEndpoints
{
    public static void MapAdmission(this WebApplication app)
    {
        var trust = app.Services.GetRequiredService<ClusterTrust>();
        var invites = app.Services.GetRequiredService<Invites>();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("ChordChat.Node.Operations");
        app.MapGet("/authority", async context =>
        {
            context.Response.ContentType = "application/pkix-cert";
            await context.Response.Body.WriteAsync(trust.Authority.RawData, context.RequestAborted);
        }).OpenTo(Callers.Everybody);
        app.MapPut("/invites/{id}", context => InviteAsync(context, invites, logger)).OpenTo(Callers.Operators);
        app.MapDenials();
        Renewal.Map(app);
        app.MapPost("/join/{id}", context => JoinAsync(context, invites, logger)).OpenTo(Callers.Everybody);
    }

    private static async Task InviteAsync(HttpContext context, Invites invites, ILogger logger)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = Invites.BundleBytesMax;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var kept = long.TryParse(
                context.Request.Query["expires"], NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            && invites.Add(IdOf(context), body.ToArray(), DateTimeOffset.FromUnixTimeMilliseconds(milliseconds));
        context.Response.StatusCode = kept ? StatusCodes.Status204NoContent : StatusCodes.Status429TooManyRequests;
        if (kept)
            LogInvited(logger, IdOf(context)[..8]);
    }

    private static async Task JoinAsync(HttpContext context, Invites invites, ILogger logger)
    {
        if (invites.Take(IdOf(context)) is not { } bundle)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        LogJoined(logger, IdOf(context)[..8], context.Connection.RemoteIpAddress?.ToString() ?? "an unknown address");
        await context.Response.Body.WriteAsync(bundle, context.RequestAborted);
    }

    private static string IdOf(HttpContext context) => ((string)context.Request.RouteValues["id"]!).PadRight(8);

    [LoggerMessage(7001, LogLevel.Information, "invite {Id} waits here for whoever has its token")]
    private static partial void LogInvited(ILogger logger, string id);

    [LoggerMessage(7002, LogLevel.Information, "invite {Id} was taken by {Address}; its token is used up")]
    private static partial void LogJoined(ILogger logger, string id, string address);
}
