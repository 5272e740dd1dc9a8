using Grpc.AspNetCore.Server;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>A gRPC call that is answered before gRPC has seen it.</summary>
internal static class EndedCall
{
    /// <param name="fault">Its text and its trailers are ASCII.</param>
    public static Task EndAsync(this HttpContext context, RpcException fault)
    {
        var headers = context.Response.Headers;
        context.Response.ContentType = "application/grpc";
        headers["grpc-status"] = ((int)fault.StatusCode).ToString("d", null);
        headers["grpc-message"] = fault.Status.Detail;
        foreach (var trailer in fault.Trailers)
            headers[trailer.Key] = trailer.Value;
        return Task.CompletedTask;
    }

    /// <summary>The method of gRPC that routing has found; null for all other endpoints, whatever the request says of
    /// itself: docs/security.md, "What a call may cost".</summary>
    public static IMethod? GrpcMethod(this HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
}
