using Grpc.Core;

namespace ChordChat.Node.Transport;

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

    public static bool IsGrpc(this HttpContext context) =>
        context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
}
