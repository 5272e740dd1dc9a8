using ChordChat.Node.Links;
using Grpc.Core;

namespace ChordChat.Node.Ring;

/// <summary>How a node says to another one that it has too many calls of it.</summary>
/// <remarks>docs/protocol.md#ring-failure-detector: to a probe this is a sign of life.</remarks>
internal static class RingFaults
{
    private const string RetryAfterMs = "1000";

    public static RpcException TooMany(string why) => new(
        new Status(StatusCode.ResourceExhausted, why), new Metadata { { CallFaults.RetryAfterTrailer, RetryAfterMs } });

    /// <summary>The trailer tells it from an answer that is too large to be read.</summary>
    public static bool IsTooMany(RpcException e) => e.StatusCode is StatusCode.ResourceExhausted
        && e.Trailers.Get(CallFaults.RetryAfterTrailer) is not null;
}
