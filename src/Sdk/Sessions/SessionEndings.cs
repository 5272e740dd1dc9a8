using ChordChat.Wire;

namespace ChordChat.Sdk.Sessions;

/// <summary>How a node ended a session or refused one, in words.</summary>
internal static class SessionEndings
{
    /// <summary>Whether it counts only with a proof.</summary>
    public static bool IsUnproved(SessionEnded? ended) => ended?.Reason is SessionEnded.Types.Reason.TakenOver
        or SessionEnded.Types.Reason.Refused or SessionEnded.Types.Reason.LoggedOut
        or SessionEnded.Types.Reason.SameDevice;

    public static ClientEvent.Searching NoSession(SessionEnded refusal) => new(new ChordChatException(
        "unavailable", $"no session; a node says {NodeWords.Quote(refusal.Text)}",
        "another node is tried, then this one again"));

    public static string Describe(string node, SessionEnded? ended) => ended?.Reason switch
    {
        SessionEnded.Types.Reason.NodeStopping => $"{node} was stopped",
        SessionEnded.Types.Reason.TooSlow => $"{node} ended the session because this client read too slowly",
        SessionEnded.Types.Reason.SameDevice => $"{node} said that this device has begun a session elsewhere",
        SessionEnded.Types.Reason.Elsewhere => $"{node} could not tell whether this device is the newest one",
        _ => $"{node} closed the connection",
    };

    public static ChordChatException Unproved(SessionEnded ended) =>
        ended.Reason == SessionEnded.Types.Reason.TakenOver
            ? new ChordChatException(
                "taken_over", "a node says, without proof, that another device has taken over",
                "other nodes are tried")
            : new ChordChatException(
                "refused", $"a node refuses the session: {NodeWords.Quote(ended.Text)}",
                "other nodes are tried; if you are logged in elsewhere, log out there first; if not, 'chordchat login' "
                + "tells the nodes again which device this is");

    public static ChordChatException Copied(string hint) => new(
        "copied_profile", "a copy of this profile is open elsewhere and has the session; this one is closed", hint);
}
