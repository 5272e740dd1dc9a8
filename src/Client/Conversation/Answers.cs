using System.Globalization;
using ChordChat.Client.Commands;
using ChordChat.Client.Terminal;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary>How answers to commands look.</summary>
internal static class Answers
{
    /// <summary>Characters of a request's first message.</summary>
    private const int FirstMax = 80;

    public static IReadOnlyList<StyledLine> Help() =>
    [
        .. CommandParser.Known.Select(known => new StyledLine(
            26,
            new Span($"{known.Name} {known.Arguments}".PadRight(26), Style.Bold),
            new Span(known.Meaning, Style.Dim))),
        Transcript.Note("Tab completes commands and names, the arrow keys bring lines back"),
        Transcript.Note(
            "to send a text that begins with /, type //; several pasted lines are one message, and are not sent if "
            + "they begin with a command"),
        Transcript.Note(
            "waiting: only here; queued: a node has it; kept 3/3: on three disks; delivered, read: by the other side"),
    ];

    public static IReadOnlyList<StyledLine> Who(OnlinePeople online, Action<string> meet)
    {
        foreach (var presence in online.People)
            meet(presence.User);
        var names = string.Join(", ", online.People.Select(one => one.User));
        return
        [
            Transcript.Note(online.People.Count == 0 ? "nobody is online" : $"{online.People.Count} online: {names}"),
            .. online.ContactsOnly
                ? [Transcript.Note("this cluster shows only people you have written to and who have written to you")]
                : Array.Empty<StyledLine>(),
        ];
    }

    public static IReadOnlyList<StyledLine> Status(Presence presence) =>
    [
        Transcript.Note(presence switch
        {
            { Online: true, Since: { } since } =>
                $"{presence.User} is online since {Transcript.Day(since.ToLocalTime(), DateTime.Today)}"
                + since.ToLocalTime().ToString("HH:mm", CultureInfo.InvariantCulture),
            { Online: true } => $"{presence.User} is online",
            _ => $"{presence.User} is offline",
        }),
    ];

    public static IReadOnlyList<StyledLine> Where(MailboxMembers place) =>
    [
        Transcript.Note(
            $"the mailbox of {place.User} is kept by {Keepers(place)} "
            + $"(tile {place.Tile}, epoch {place.Epoch})"),
    ];

    /// <summary>Who keeps a mailbox, and how many of them answer when not all do.</summary>
    public static string Keepers(MailboxMembers place) => string.Join(", ", place.Members)
        + (place.Answering.Count == place.Members.Count ? "; all answer"
            : $"; {Answering(place.Answering, place.Members.Count)}");

    /// <summary>Which of the copies of something answer.</summary>
    public static string Answering(IReadOnlyList<string> answering, int of) =>
        $"now {answering.Count} of {of} answer" + (answering.Count > 0 ? $": {string.Join(", ", answering)}" : "");

    public static StyledLine Nobody(string user) => Transcript.Note(People.Nobody(user).Message);

    public static StyledLine Blocked(IReadOnlyList<string> users) => Transcript.Note(
        users.Count == 0 ? "nobody is blocked" : $"blocked: {string.Join(", ", users)}");

    public static IReadOnlyList<StyledLine> Requests(IReadOnlyList<ChatRequest> requests, bool wait) =>
        requests.Count == 0
            ? [Transcript.Note(NoRequests(wait))]
            :
            [
                .. requests.Select(request => Transcript.Note(Request(request))),
                Transcript.Note("/accept <user> shows what they wrote and opens the chat, /block <user> refuses it"),
            ];

    /// <summary>Who, how much, and how it begins.</summary>
    public static string Request(ChatRequest request)
    {
        var text = request.First.Text.ReplaceLineEndings("\n");
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        end = end < 0 ? text.Length : end;
        // Not in the middle of a character.
        var cut = end <= FirstMax ? end : char.IsHighSurrogate(text[FirstMax - 1]) ? FirstMax - 1 : FirstMax;
        return $"{request.From}, {(request.Count == 1 ? "1 message" : $"{request.Count} messages")}: "
            + Printable.Of(text[..cut]) + (cut < text.Length ? " ..." : "");
    }

    public static string NoRequests(bool wait) => wait
        ? "nobody is waiting to be accepted"
        : "nobody is waiting to be accepted: requests are off, so everybody's messages are shown at once";

    public static string RequestsWait(bool on) => on
        ? "messages from people you never wrote to wait until you accept the sender"
        : "everybody's messages are shown at once";

    public static IReadOnlyList<StyledLine> Chats(IReadOnlyList<(string Peer, int Unread)> chats) => chats.Count == 0
        ? [Transcript.Note("no messages yet; /chat <user> opens a chat")]
        :
        [
            Transcript.Note("your chats; /chat <user> opens one:"),
            .. chats.Select(chat =>
                Transcript.Note(chat.Unread > 0 ? $"{chat.Peer}: {chat.Unread} unread" : chat.Peer)),
        ];

    public static async Task<IReadOnlyList<StyledLine>> VerifyAsync(People people, string user, bool confirmed)
    {
        var shown = people.NumberShown(user);
        if (confirmed && shown is null) // Whatever was compared was another day's, perhaps another identity's.
            return [Transcript.Note($"compare the number first: /verify {user}", Style.Warning)];
        var number = await people.SafetyNumberAsync(user);
        if (confirmed && number == shown && people.MarkVerified(user, number))
            return [Transcript.Note($"{user} is verified", Style.Good)];

        var isVerified = people.KeysOf(user) == PinState.Verified;
        return
        [
            .. confirmed
                ? [Transcript.Note("this is not the number that you were shown; compare it again", Style.Warning)]
                : Array.Empty<StyledLine>(),
            Transcript.Note($"your safety number with {user} ({(isVerified ? "verified" : "not verified yet")}):"),
            StyledLine.Of("    " + number[..35], Style.Bold),
            StyledLine.Of("    " + number[36..], Style.Bold),
            .. isVerified
                ? Array.Empty<StyledLine>()
                : [Transcript.Note($"read it to {user} in person; if it is the same there, write /verify {user} ok")],
        ];
    }
}
