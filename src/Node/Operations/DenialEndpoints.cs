using System.Globalization;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Operations;

/// <summary>/denied: the deny list. Everybody may read it, so that a denied node hears why; the operator hands in a
/// newer one.</summary>
internal static class DenialEndpoints
{
    public const string Path = DenyListSpreader.Path;
    public const string HoldersPath = "/denied/holders";

    public static void MapDenials(this WebApplication app)
    {
        app.MapGet(Path, TellAsync).OpenTo(Callers.Everybody | Callers.Denied);
        app.MapPut(Path, TakeAsync).OpenTo(Callers.Operators);
        app.MapGet(HoldersPath, context => context.Response.WriteAsJsonAsync(
            context.RequestServices.GetRequiredService<DenyListSpreader>().Holders(), context.RequestAborted))
            .OpenTo(Callers.Operators);
    }

    private static async Task TellAsync(HttpContext context)
    {
        var denials = context.RequestServices.GetRequiredService<Denials>();
        _ = ulong.TryParse(
            context.Request.Query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var after);
        if (denials.Number <= after || denials.Signed is not { } signed)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        context.Response.ContentType = "text/plain";
        await context.Response.Body.WriteAsync(signed, context.RequestAborted);
    }

    private static async Task TakeAsync(HttpContext context)
    {
        var body = new byte[DenyList.BytesMax];
        var length = await context.Request.Body.ReadAtLeastAsync(
            body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        context.Response.StatusCode =
            context.RequestServices.GetRequiredService<Denials>().Take(body.AsSpan(0, length)) switch
            {
                DenyListVerdict.Taken or DenyListVerdict.Known => StatusCodes.Status204NoContent,
                DenyListVerdict.Older => StatusCodes.Status409Conflict,
                _ => StatusCodes.Status400BadRequest,
            };
    }
}
