using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Sdk;

/// <summary>The texts that more than one place says.</summary>
internal static class Failures
{
    private const int HintMax = 200;

    public static ChordChatException WrongPassword(string user) => new(
        "wrong_password", $"this is not the password of {user}",
        "try again; check upper and lower case and the keyboard layout");

    /// <summary>Nodes do not say which of the two is wrong.</summary>
    /// <param name="node">Who says so, as a person knows it: nobody else was asked.</param>
    public static ChordChatException WrongLogin(string user, string node) => new(
        "wrong_password", $"wrong user name or password for {user}",
        "try again; check upper and lower case, the keyboard layout and the name's spelling; "
        + $"only {node} says so: to ask another node, name it with --node");

    public static ChordChatException ProfileBusy(Exception cause) => new(
        "profile_busy", "another program has kept this profile's file locked for a long time",
        "this goes on as soon as that program goes on or ends; if you stopped it with Ctrl-Z, type fg in its terminal",
        cause);

    public static ChordChatException UnknownUser(string user) => new(
        "unknown_user", $"there is no user {user}", "check the spelling; names are all lower case");

    /// <summary>A question about people without a pass that a node takes.</summary>
    public static ChordChatException NoPass(string what, Exception cause) => new(
        "no_pass", $"{what}: nodes answer this only to logged-in users",
        "log in with 'chordchat login NAME', or register with 'chordchat register NAME'", cause);

    public static ChordChatException BadName(string name) => new(
        "bad_name", $"'{name}' cannot be a user name",
        "use 1 to 32 characters: a-z, 0-9, '_', '.', '-' (no capitals, no spaces); begin with a letter or a digit");

    public static ChordChatException Unavailable(string what, Exception? cause = null) => new(
        "unavailable", $"{what}: too few nodes answer",
        HintOf(
            cause as RpcException,
            $"wait a moment and try again; {Nodes.StartupCommand.Of("status")} shows the nodes"),
        cause);

    /// <summary>A registration of which nobody knows yet whether it took effect.</summary>
    public static ChordChatException Undecided(string user, Exception cause) => new(
        "undecided", $"it is not known yet whether the account {user} was created",
        $"register or log in as {user} again on this machine, with the same password: that finishes it", cause);

    /// <summary>Whether a node has said of this call that it changed nothing.</summary>
    public static bool ChangedNothing(Task call) => call.Exception?.InnerException is RpcException cause
        && (cause.StatusCode is StatusCode.InvalidArgument or StatusCode.ResourceExhausted
            || cause.Trailers.GetValue("changed") == "no");

    /// <summary>What a failed call means when nothing more precise is known.</summary>
    public static ChordChatException Of(RpcException cause, string what) => cause.StatusCode switch
    {
        StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Cancelled => Unavailable(what, cause),
        StatusCode.ResourceExhausted => new ChordChatException(
            "throttled", $"{what}: too many attempts", HintOf(cause, RetryHint(cause)), cause),
        StatusCode.PermissionDenied when ReasonOf(cause) is { } reason => new ChordChatException(
            reason, $"{what}: {Said(cause)}", HintOf(cause, "ask the operator"), cause),
        StatusCode.InvalidArgument => new ChordChatException(
            "invalid", $"{what}: {Said(cause)}", HintOf(cause, "check what you typed"), cause),
        _ => new ChordChatException(
            "node_error", $"{what}: {cause.StatusCode}: {Said(cause)}",
            HintOf(cause, "try another node with --node; the node's log says more"), cause),
    };

    /// <summary>Nobody foresaw this: a fault of this program, perhaps brought out by what a node sent.</summary>
    /// <param name="where">The node, as a person knows it.</param>
    public static ChordChatException Unexpected(string where, Exception cause) => new(
        "node_error", $"{where} made this program fail: {InWords(cause)}",
        "other nodes are tried; report this, for it should not happen", cause);

    /// <summary>What a report of it has to say: one line, bounded.</summary>
    public static string InWords(Exception cause)
    {
        var at = cause.StackTrace?.Split('\n')[0].Trim().Split(" in ")[0];
        return NodeWords.Text($"{cause.GetType().Name}: {cause.Message}{(at is null ? "" : $" ({at})")}");
    }

    /// <summary>What a failed call of a login means.</summary>
    public static ChordChatException OfLogin(RpcException cause) => cause.StatusCode == StatusCode.FailedPrecondition
        ? new ChordChatException(
            "session_live", $"the cluster refuses a second login: {Said(cause)}",
            HintOf(cause, "log out on the other device first"), cause)
        : Of(cause, "login failed");

    /// <summary>Of those reasons that a node may give and programs tell apart.</summary>
    private static string? ReasonOf(RpcException cause) => cause.Trailers.GetValue("reason") is
        ("registration_closed" or "invitation_needed" or "invitation_wrong" or "invitation_expired"
        or "not_a_contact") and { } reason
            ? reason
            : null;

    /// <summary>A node's words, never without saying so: docs/e2e.md, Harmless.</summary>
    private static string Said(RpcException cause) => $"a node says {NodeWords.Quote(cause.Status.Detail)}";

    /// <summary>What the node advises, as its words, or else what this client does.</summary>
    public static string HintOf(RpcException? cause, string otherwise) =>
        cause?.Trailers.GetValue("hint") is { Length: > 0 and <= HintMax } hint && hint.All(c => c is >= ' ' and <= '~')
            ? $"a node advises {NodeWords.Quote(hint)}"
            : otherwise;

    private static string RetryHint(RpcException cause) =>
        int.TryParse(cause.Trailers.GetValue("retry-after-ms"), out var ms)
            ? $"try again in {Math.Max(1, (ms + 999) / 1000)} s"
            : "wait a moment and try again";
}
