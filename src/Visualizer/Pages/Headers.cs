using ChordChat.Visualizer.Hosting;
using Microsoft.Extensions.Primitives;

namespace ChordChat.Visualizer.Pages;

/// <summary>What every answer says to browsers: run and load nothing but what is here.</summary>
internal static class Headers
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly HashSet<string> OwnNames =
        new(["localhost", "127.0.0.1", "[::1]"], StringComparer.OrdinalIgnoreCase);

    public static void UsePageHeaders(this WebApplication app, VisualizerOptions options) => app.Use((context, next) =>
    {
        // A page elsewhere whose name was bent to this machine must not read who is online here.
        if (options.IsLoopback && !OwnNames.Contains(context.Request.Host.Host))
        {
            context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            return Task.CompletedTask;
        }

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (StringValues.IsNullOrEmpty(headers.CacheControl))
            headers.CacheControl = "no-cache";
        return next(context);
    });
}
