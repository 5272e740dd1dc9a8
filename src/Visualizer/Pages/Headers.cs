using ChordChat.Visualizer.Hosting;
using Microsoft.Extensions.Primitives;

namespace ChordChat.Visualizer.Pages;

/// <summary>What every answer says to browsers: run and load nothing but what is here.</summary>
internal static class Headers
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string WrongName =
        "This page does not answer to that name: another site may have pointed that name here (DNS rebinding) to read "
        + "who is online.\n"
        + "Open it as http://localhost, or start the visualizer with --host-name NAME (CHORDCHAT_PAGE_HOSTS in "
        + "containers) if the name is meant.\n";

    public static void UsePageHeaders(this WebApplication app, VisualizerOptions options) => app.Use((context, next) =>
    {
        if (!options.AnswersTo(context.Request.Host.Host))
        {
            context.Response.StatusCode = StatusCodes.Status421MisdirectedRequest;
            context.Response.ContentType = "text/plain; charset=utf-8";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return context.Response.WriteAsync(WrongName, context.RequestAborted);
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
