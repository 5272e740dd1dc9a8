using ChordChat.Core.Chat;
using Grpc.Core;
using static ChordChat.Node.Links.CallFaults;

namespace ChordChat.Node.Chat;

/// <summary>What a client is told when the answer is no: the one table from outcomes to gRPC's status codes.</summary>
/// <remarks>docs/protocol.md#refusals: the status says what happened, the hint what to do about it.</remarks>
internal static class ChatFaults
{
    /// <summary>Says "no" when the call has changed nothing; absent when that is not known.</summary>
    public const string ChangedTrailer = "changed";
    /// <summary>A word for programs where one status has several causes.</summary>
    public const string ReasonTrailer = "reason";
    private const string LogInAgain = "log in again";

    public static RpcException For(RegisterOutcome outcome) => outcome switch
    {
        RegisterOutcome.Taken => Fault(
            StatusCode.AlreadyExists, "this name is taken", "choose another one, or log in if it is yours"),
        RegisterOutcome.Invalid(var why) => Invalid(why),
        RegisterOutcome.NotInvited(var fault) => NotInvited(fault),
        RegisterOutcome.Busy => Busy(),
        RegisterOutcome.Unavailable(var reached, var needed) => NoMajority(reached, needed),
        RegisterOutcome.Unknown => Undecided(),
        _ => throw new InvalidOperationException($"no status for {outcome}"),
    };

    public static RpcException For(LoginOutcome outcome) => outcome switch
    {
        LoginOutcome.Wrong => Fault(
            StatusCode.Unauthenticated, "wrong user name or password", "try again; check upper and lower case"),
        LoginOutcome.Throttled(var wait) => Later("too many tries", wait),
        LoginOutcome.Rejected => SessionLive(),
        LoginOutcome.Busy => Busy(),
        LoginOutcome.Unavailable(var reached, var needed) => NoMajority(reached, needed),
        _ => throw new InvalidOperationException($"no status for {outcome}"),
    };

    public static RpcException For(PublishOutcome outcome) => outcome switch
    {
        PublishOutcome.Overtaken => Fault(StatusCode.Aborted, "another device published first", LogInAgain),
        PublishOutcome.Invalid(var why) => Invalid(why),
        PublishOutcome.NoTicket => Fault(StatusCode.Unauthenticated, "the login is too old", LogInAgain),
        PublishOutcome.Rejected => SessionLive(),
        PublishOutcome.TooOften(var wait) => NewDeviceLater(wait),
        PublishOutcome.Full => TooManyDevices(),
        PublishOutcome.Unavailable(var reached, var needed) => NoMajority(reached, needed),
        PublishOutcome.Unknown => Undecided(),
        _ => throw new InvalidOperationException($"no status for {outcome}"),
    };

    public static RpcException NoPass() => Fault(
        StatusCode.Unauthenticated, "only logged-in users may ask this", "log in first");

    /// <summary>The same for names that nobody has.</summary>
    public static RpcException NotAContact(string user) => NotAdmitted(
        "not_a_contact",
        $"in this cluster, only people {user} has written to can see whether and where {user} is online",
        "write to them; you see it once they have answered or accepted you");

    public static RpcException RegistrationClosed() => NotAdmitted(
        "registration_closed", "nobody can register in this cluster", "ask its operator for an account");

    private static RpcException NotInvited(InvitationFault fault) => fault switch
    {
        InvitationFault.Needed => NotAdmitted(
            "invitation_needed", "registering here needs an invitation",
            "get a code from the operator of the cluster; chordchat register NAME asks for it (scripts: "
            + "CHORDCHAT_INVITATION or --invitation-file FILE)"),
        InvitationFault.Expired => NotAdmitted(
            "invitation_expired", "this invitation has expired", "ask the operator of the cluster for another one"),
        _ => NotAdmitted(
            "invitation_wrong", "this is not an invitation of this cluster, or it was used for another name",
            "check what you typed; a code is good for one account, so ask the operator of the cluster for another one"),
    };

    /// <summary>Nothing was changed.</summary>
    private static RpcException NotAdmitted(string reason, string text, string hint)
    {
        var fault = Fault(StatusCode.PermissionDenied, text, hint);
        fault.Trailers.Add(ReasonTrailer, reason);
        fault.Trailers.Add(ChangedTrailer, "no");
        return fault;
    }

    public static RpcException TooManyRegistrations(TimeSpan wait) => Later("too many registrations", wait);

    public static RpcException TooManyHellos() =>
        Later("too many clients connect at once", TimeSpan.FromSeconds(1));

    public static RpcException TooManyBadHellos(TimeSpan wait) =>
        Later("too many failed sign-ins from your network", wait);

    public static RpcException TooManyHellosOfUser(TimeSpan wait) => Later("too many sign-ins as this user", wait);

    public static RpcException NewDeviceLater(TimeSpan wait) => Later("too many new devices", wait);

    public static RpcException TooManyDevices() => Fault(
        StatusCode.OutOfRange, $"this account has had {KeyLogPace.EntriesMax} devices and can have no more",
        "stay on the device that is logged in, or register another name");

    public static RpcException TooManyAccountReads(TimeSpan wait) => Later("too many logins begun", wait);

    public static RpcException TooManyQuestions(TimeSpan wait) => Later("too many questions about people", wait);

    public static RpcException TooManyNames(TimeSpan wait) => Later("too many names asked for", wait);

    public static RpcException UnknownUser(string user) => Fault(
        StatusCode.NotFound, $"nobody here is called {user}", "check the spelling; names are all lower case");

    /// <summary>Nothing was changed.</summary>
    public static RpcException NoMajority(int reached, int needed) =>
        Unavailable($"{reached} of the {needed} nodes that are needed answered");

    /// <summary>Nothing was changed; who asked did not count.</summary>
    public static RpcException NoMajority() => Unavailable("too few copies answered");

    private static RpcException Unavailable(string text)
    {
        var fault = Fault(
            StatusCode.Unavailable, text,
            "nothing was changed; try again when more nodes answer, or at another node");
        fault.Trailers.Add(ChangedTrailer, "no");
        return fault;
    }

    private static RpcException SessionLive() => Fault(
        StatusCode.FailedPrecondition, "you are logged in elsewhere",
        "log out there, or wait 15 s after that session has gone");

    private static RpcException Undecided() => Fault(
        StatusCode.Unavailable, "it is not known whether this took effect", "try again to find out");

    private static RpcException Busy() => Later("too many password checks at once", TimeSpan.FromSeconds(1));
}
