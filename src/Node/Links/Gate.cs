using ChordChat.Node.Identity;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>Who may call an endpoint; any of those named.</summary>
[Flags]
internal enum Callers
{
    /// <summary>What an endpoint says that says nothing.</summary>
    Nobody = 0,

    /// <summary>Whoever reaches the port: clients, too.</summary>
    Everybody = 1,

    /// <summary>Nodes with a certificate of this cluster.</summary>
    Members = 2,

    /// <summary>Holders of a certificate that the authority's key made for a command.</summary>
    Operators = 4,

    /// <summary>Who holds the key of this very node.</summary>
    OwnFolder = 8,

    /// <summary>Who shows a certificate that was revoked, and is nobody else.</summary>
    Denied = 16,
}

/// <summary>Lets a request through to the endpoint that routing has found for it, if that endpoint was opened to who
/// calls. What nobody has opened is closed.</summary>
/// <remarks>docs/security.md, "The gate". It judges the endpoint, never the path: however a path is written, routing
/// alone says what it means.</remarks>
internal static class Gate
{
    /// <summary>Why a request was refused, for whoever looks into it.</summary>
    public const string ReasonHeader = "reason";

    /// <summary>Opens an endpoint, or all of a service, to these callers and nobody else.</summary>
    public static TBuilder OpenTo<TBuilder>(this TBuilder endpoint, Callers who)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Opened(who));

    /// <summary>Refuses everybody else before a byte of the request is read: PERMISSION_DENIED, or status
    /// 403.</summary>
    public static IApplicationBuilder UseGate(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (IsOfWebPage(context.Request))
            return RefuseAsync(context, "a node answers no requests from web pages");
        if (context.GetEndpoint() is not { } endpoint)
            return next(context);
        if ((OpenedTo(endpoint) & Of(context)) == Callers.Nobody)
            return RefuseAsync(context, WhyNot(OpenedTo(endpoint), CallerIdentity.Of(context).Denied));
        return context.Request.Headers["grpc-encoding"] is [{ } encoding] && encoding != "identity"
            ? EndCallAsync(context, StatusCode.Unimplemented, "nodes take nothing compressed")
            : next(context);
    });

    public static Callers OpenedTo(Endpoint endpoint) =>
        endpoint.Metadata.GetMetadata<Opened>()?.Who ?? Callers.Nobody;

    private static Callers Of(HttpContext context)
    {
        var caller = CallerIdentity.Of(context);
        if (caller.Denied is not null)
            return Callers.Denied;
        var who = Callers.Everybody;
        if (caller.IsOperator)
            who |= Callers.Operators;
        if (caller.Node is not { } node)
            return who;
        var self = context.RequestServices.GetRequiredService<LocalNode>().Self.Node;
        return who | Callers.Members | (node.Node == self ? Callers.OwnFolder : Callers.Nobody);
    }

    /// <summary>Browsers tell it, and only they; "none" is what somebody has typed. A page that a visitor has open must
    /// not reach nodes that it could not reach itself, with the visitor's certificate or without.</summary>
    private static bool IsOfWebPage(HttpRequest request) =>
        request.Headers.Origin.Count > 0 || request.Headers["Sec-Fetch-Site"] is [not "none", ..];

    private static string WhyNot(Callers open, string? denied) => denied ?? open switch
    {
        Callers.Nobody => "this endpoint is closed",
        _ when open.HasFlag(Callers.Members) => "only nodes with a certificate of this cluster may ask this",
        _ when open.HasFlag(Callers.OwnFolder) => "only the node's own folder and operators may ask this",
        _ => "only operators of this cluster may ask this",
    };

    /// <summary>By headers only: they wait for no window, so nothing of a refusal stays here.</summary>
    private static Task RefuseAsync(HttpContext context, string why)
    {
        if (context.GrpcMethod() is not null)
            return EndCallAsync(context, StatusCode.PermissionDenied, why);

        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        context.Response.Headers[ReasonHeader] = why;
        return Task.CompletedTask;
    }

    private static Task EndCallAsync(HttpContext context, StatusCode status, string why) =>
        context.EndAsync(new RpcException(new Status(status, why)));

    private sealed record Opened(Callers Who);
}
