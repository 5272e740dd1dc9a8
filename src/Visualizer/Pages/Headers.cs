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

    private const string WrongSite =
        "Another web site asked for this. Open this page directly: other sites may not read what it shows, nor query "
        + "nodes in your name.\n";

    /// <summary>Sent with what the page asks for in its own name. A browser lets another site send it only after this
    /// page has agreed, which it never does.</summary>
    private const string OwnHeader = "X-Chordchat-Page";

    public static void UsePageHeaders(this WebApplication app, VisualizerOptions options) => app.Use((context, next) =>
    {
        if (!options.AnswersTo(context.Request.Host.Host))
            return RefuseAsync(context, StatusCodes.Status421MisdirectedRequest, WrongName);
        if (IsOfAnotherSite(context.Request))
            return RefuseAsync(context, StatusCodes.Status403Forbidden, WrongSite);

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (StringValues.IsNullOrEmpty(headers.CacheControl))
            headers.CacheControl = "no-cache";
        return next(context);
    });

    /// <summary>A link to the page may stand anywhere; nothing else of it is asked for by other sites. Browsers that
    /// say nothing of it (they do not, to a page by plain HTTP at another name than localhost) still let no other site
    /// send <see cref="OwnHeader"/>.</summary>
    internal static bool IsOfAnotherSite(HttpRequest request)
    {
        if (request.Path.StartsWithSegments("/trace") && !request.Headers.ContainsKey(OwnHeader))
            return true;
        if (request.Headers.Origin is [{ } origin] && origin != $"{request.Scheme}://{request.Host}")
            return true;
        return request.Headers["Sec-Fetch-Site"] is [not ("none" or "same-origin")]
            && !(request.Path == "/" && request.Headers["Sec-Fetch-Mode"] == "navigate");
    }

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return context.Response.WriteAsync(why, context.RequestAborted);
    }
}
