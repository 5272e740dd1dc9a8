using System.Globalization;
using ChordChat.Node.Chat;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>What a client is told when the answer is no: the one table from outcomes to gRPC's status codes.</summary>
internal static class ChatFaults
{
    public const string RetryAfterTrailer = "retry-after-ms";

    public static RpcException For(RegisterOutcome outcome) => outcome switch
    {
        RegisterOutcome.Taken => Fault(StatusCode.AlreadyExists, "this name is taken"),
        RegisterOutcome.Invalid(var why) => Invalid(why),
        RegisterOutcome.Busy => Busy(),
        RegisterOutcome.Unavailable(var reached, var needed) => NoMajority(reached, needed),
        RegisterOutcome.Unknown => Undecided(),
        _ => throw new InvalidOperationException($"no status for {outcome}"),
    };

    public static RpcException For(LoginOutcome outcome) => outcome switch
    {
        LoginOutcome.Wrong => Fault(StatusCode.Unauthenticated, "wrong user name or password"),
        LoginOutcome.Throttled(var wait) => Later($"too many tries; wait {Math.Ceiling(wait.TotalSeconds)} s", wait),
        LoginOutcome.Rejected => SessionLive(),
        LoginOutcome.Busy => Busy(),
        LoginOutcome.Unavailable(var reached, var needed) => NoMajority(reached, needed),
        _ => throw new InvalidOperationException($"no status for {outcome}"),
    };

    public static RpcException For(PublishOutcome outcome) => outcome switch
    {
        PublishOutcome.Overtaken => Fault(StatusCode.Aborted, "another device published first; log in again"),
        PublishOutcome.Invalid(var why) => Invalid(why),
        PublishOutcome.NoTicket => Fault(StatusCode.Unauthenticated, "the login is too old; log in again"),
        PublishOutcome.Rejected => SessionLive(),
        PublishOutcome.Unavailable(var reached, var needed) => NoMajority(reached, needed),
        PublishOutcome.Unknown => Undecided(),
        _ => throw new InvalidOperationException($"no status for {outcome}"),
    };

    public static RpcException UnknownUser(string user) => Fault(StatusCode.NotFound, $"nobody here is called {user}");

    public static RpcException Invalid(string why) => Fault(StatusCode.InvalidArgument, why);

    public static RpcException NoMajority(int reached, int needed) => Fault(
        StatusCode.Unavailable, $"{reached} of the {needed} nodes that are needed answered; try again soon");

    private static RpcException SessionLive() => Fault(
        StatusCode.FailedPrecondition, "you are logged in elsewhere; log out there, or wait 15 s after it has gone");

    private static RpcException Undecided() => Fault(
        StatusCode.Unavailable, "it may have taken effect; repeat it to find out");

    private static RpcException Busy() => Later("too many logins at once; try again", TimeSpan.FromSeconds(1));

    private static RpcException Later(string text, TimeSpan wait) => new(
        new Status(StatusCode.ResourceExhausted, text),
        new Metadata
        {
            { RetryAfterTrailer, ((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) },
        });

    private static RpcException Fault(StatusCode code, string text) => new(new Status(code, text));
}
