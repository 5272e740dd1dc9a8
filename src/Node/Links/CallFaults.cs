using System.Globalization;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>What any caller is told of a call that is not carried out, before anybody looks at what it says.</summary>
/// <remarks>docs/protocol.md#refusals: the status says what happened, the hint what to do about it.</remarks>
internal static class CallFaults
{
    public const string RetryAfterTrailer = "retry-after-ms";
    public const string HintTrailer = "hint";

    public static RpcException TooManyCalls() =>
        Later("too many unfinished calls from your network", TimeSpan.FromSeconds(1));

    public static RpcException CallTooLarge(int bytesMax) => Fault(
        StatusCode.ResourceExhausted, $"this call takes at most {bytesMax} bytes", "send less");

    public static RpcException CallTooSlow() => Fault(
        StatusCode.DeadlineExceeded, "the request did not arrive completely in time",
        "try again over a better network");

    public static RpcException Invalid(string why) => Fault(
        StatusCode.InvalidArgument, why, "correct it and try again");

    public static RpcException Later(string text, TimeSpan wait)
    {
        var seconds = Math.Max(1, Math.Ceiling(wait.TotalSeconds));
        var fault = Fault(StatusCode.ResourceExhausted, text, $"try again in {seconds} s");
        fault.Trailers.Add(
            RetryAfterTrailer, ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
        return fault;
    }

    /// <param name="hint">ASCII, as trailers are.</param>
    public static RpcException Fault(StatusCode code, string text, string hint) =>
        new(new Status(code, text), new Metadata { { HintTrailer, hint } });
}
