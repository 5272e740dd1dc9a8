using ChordChat.Core.Ring;
using Grpc.Core;

namespace ChordChat.Node.Identity;

/// <summary>Which node calls: from its certificate, never from a field of its message.</summary>
internal static class CallingPeer
{
    public static NodeId GetPeerNodeId(this ServerCallContext context) => context.GetPeerNode().Node;

    public static NodeCertificate GetPeerNode(this ServerCallContext context) =>
        CallerIdentity.Of(context.GetHttpContext()).Node
        ?? throw new RpcException(new Status(StatusCode.PermissionDenied, "only nodes of this cluster may ask this"));
}
