using ChordChat.Core.Ring;
using Grpc.Core;

namespace ChordChat.Node.Admission;

/// <summary>The services that nodes offer to each other answer only callers with a certificate of this
/// cluster.</summary>
internal static class MembersOnly
{
    private static readonly PathString[] Services = ["/chordchat.v1.Ring", "/chordchat.v1.Replica"];

    /// <summary>Refuses everybody else with PERMISSION_DENIED before a byte of the request is read.</summary>
    public static IApplicationBuilder UseMembersOnly(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        if (CallerIdentity.Of(context).Node is not null || !IsForMembers(context.Request.Path))
            return next(context);
        context.Response.ContentType = "application/grpc";
        context.Response.Headers["grpc-status"] = ((int)StatusCode.PermissionDenied).ToString("d", null);
        context.Response.Headers["grpc-message"] = "only nodes with a certificate of this cluster may ask this";
        return Task.CompletedTask;
    });

    /// <summary>Which node calls: from its certificate, never from a field of its message.</summary>
    public static NodeId GetPeerNodeId(this ServerCallContext context) => context.GetPeerNode().Node;

    public static NodeCertificate GetPeerNode(this ServerCallContext context) =>
        CallerIdentity.Of(context.GetHttpContext()).Node
        ?? throw new RpcException(new Status(StatusCode.PermissionDenied, "only nodes of this cluster may ask this"));

    private static bool IsForMembers(PathString path)
    {
        foreach (var service in Services)
            if (path.StartsWithSegments(service, StringComparison.Ordinal))
                return true;
        return false;
    }
}
