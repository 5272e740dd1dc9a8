using System.Globalization;
using ChordChat.Client.Terminal;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary>How messages and events look. Pure: values in, lines out.</summary>
internal static class Transcript
{
    /// <summary>Where the state of a message of ours stands in its line: after the time, with room for names.</summary>
    public static readonly Mark StateField = new(Column: 6, Width: 20);

    private const int TheirsWidth = 9;

    private const string Unread = "● new";

    private const int QuestionMax = 60;

    /// <summary>Rows of one message, however wide the screen is.</summary>
    private const int RowsMax = 100;

    /// <param name="me">Whose screen this is.</param>
    /// <param name="unread">Marks a message of a chat that is not open.</param>
    public static StyledLine Line(ChatMessage message, string me, bool unread)
    {
        var mine = message.From == me;
        var (state, style) = mine ? State(message) : unread ? (Unread, Style.Warning) : ("", Style.Plain);
        var width = mine ? StateField.Width : TheirsWidth;
        var who = mine ? $"you → {message.To}: " : $"{message.From}: ";
        var time = (message.Typed ?? message.Sent).ToLocalTime();
        var day = Day(time, DateTime.Today);
        return new StyledLine(
            StateField.Column + TheirsWidth + 1,
            new Span($"{time.ToString("HH:mm", CultureInfo.InvariantCulture)} ", Style.Dim),
            new Span(state.PadRight(width) + " ", style),
            new Span(day, Style.Dim),
            new Span(who, mine ? Style.Dim : Style.Accent),
            Text(message, mine ? message.To : message.From),
            new Span(Marks(message), Style.Warning));
    }

    /// <summary>What stands before the line that is typed.</summary>
    /// <param name="unread">How many messages of each person are unread.</param>
    /// <param name="who">Whom the line goes to, or whose console this is.</param>
    public static StyledLine Prompt(bool isUp, IEnumerable<KeyValuePair<string, int>> unread, string who) => new(
        0,
        [
            new(isUp ? "" : "(connecting) ", Style.Warning),
            .. unread.Select(chat => new Span($"●{chat.Key} {chat.Value} ", Style.Warning)),
            new(who + "> ", Style.Bold),
        ]);

    /// <returns>Why a message of ours was refused: what a node says stands there as its words.</returns>
    public static string Refusal(ChatMessage message) => $"{message.To}: {message.Note}";

    /// <returns>What stands behind a message's text, such as that a copy of its sender's profile wrote it; nothing as a
    /// rule.</returns>
    public static string Marks(ChatMessage message) =>
        Late(message) + (message.Note.Length > 0 ? $" ({Printable.Of(message.Note)})" : "");

    /// <returns>What stands behind a message that came after later ones of its sender; else nothing.</returns>
    public static string Late(ChatMessage message) => message.IsLate ? " (came late)" : "";

    /// <returns>The day of a message that is not of today, with the year if it is not of this one.</returns>
    internal static string Day(DateTimeOffset time, DateTime today) =>
        time.Date == today ? ""
        : time.ToString(time.Year == today.Year ? "d MMM " : "d MMM yyyy ", CultureInfo.InvariantCulture);

    /// <summary>What is known of a message of ours, in few words: <c>kept 3/3: n2 n5 n7</c>, without the names when
    /// they do not fit; <c>kept, now only 1/3</c> when fewer than a majority of the copies answer.</summary>
    public static (string Text, Style Style) State(ChatMessage message) => message.State switch
    {
        MessageState.Waiting => ("waiting", Style.Warning),
        MessageState.Queued => ("queued", Style.Warning),
        MessageState.Unsent => ("unsent", Style.Warning),
        MessageState.Delivered when IsOnFew(message) => ($"delivered, on {Count(message)}", Style.Good),
        MessageState.Read when IsOnFew(message) => ($"read, on {Count(message)}", Style.Good),
        MessageState.Kept when message.Reachable is { } answering =>
            ($"kept, now only {answering.Count}/{message.Of}", Style.Warning),
        MessageState.Kept => (Kept(message), Style.Dim),
        MessageState.Delivered => ("delivered", Style.Good),
        MessageState.Read => ("read", Style.Good),
        _ => ("refused", Style.Bad),
    };

    private static bool IsOnFew(ChatMessage message) => message.Of > 0 && !message.IsKeptByMajority;

    private static string Count(ChatMessage message) => $"{message.Copies.Count}/{message.Of}";

    private static string Kept(ChatMessage message)
    {
        var count = $"kept {Count(message)}";
        var named = Printable.Of($"{count}: {string.Join(' ', message.Copies)}");
        return named.Length <= StateField.Width ? named : count;
    }

    /// <returns>What is to be said before a message of what did not come: nothing as a rule.</returns>
    public static IEnumerable<string> Missing(ChatMessage before)
    {
        if (before.MissingBefore > 0)
            yield return before.MissingBefore == 1
                ? $"a message from {before.From} may be missing here"
                : $"up to {before.MissingBefore} messages from {before.From} may be missing here";
        if (before.ElsewhereBefore > 0)
            yield return before.ElsewhereBefore == 1
                ? $"a message from {before.From} may have gone to another device of yours"
                : $"up to {before.ElsewhereBefore} messages from {before.From} may have gone to another device of "
                    + "yours";
    }

    /// <summary>The text of a message as it stands on a screen.</summary>
    /// <param name="with">Whose chat it stands in.</param>
    public static Span Text(ChatMessage message, string with) =>
        new(message.Text, Style.Plain, new Cut(RowsMax, $"'chordchat history {with} --json' prints all"));

    public static StyledLine Unsent(IReadOnlyList<ChatMessage> messages, bool isLoggedIn) => Note(
        (messages.Count == 1
            ? $"a message of yours, to {messages[0].To}, was"
            : $"{messages.Count} of your messages, to "
                + $"{string.Join(", ", messages.Select(message => message.To).Distinct())}, were")
        + " not known to be kept when this device was replaced or logged out; "
        + (isLoggedIn ? "/resend sends what is left" : "log in here again and type /resend to send what is left"),
        Style.Warning);

    /// <param name="isGone">Otherwise somebody has just logged in on this profile anew.</param>
    public static StyledLine LoggedOut(bool isGone) => isGone
        ? Note("logged out; the keys of this device are gone, the history stays")
        : Note("not logged out: another program has just logged in on this profile anew", Style.Warning);

    public static StyledLine Waiting(int count) => Note(
        count == 1
            ? "a message that you wrote still waits on this machine; it goes out as soon as nodes take it"
            : $"{count:N0} messages that you wrote still wait on this machine; they go out as soon as nodes take them",
        Style.Warning);

    /// <param name="wasBlocked">As this machine knew it; another device may have blocked them.</param>
    public static StyledLine Unblocked(string user, bool wasBlocked) => Note(wasBlocked
        ? $"{user} is no longer blocked; what they wrote meanwhile is not shown, and may be counted as missing"
        : $"{user} is not blocked");

    public static StyledLine Connected(ClientEvent.Connected connected) => Note(
        connected switch
        {
            { Lost: null } => $"connected to {connected.Node}",
            { Why: { Length: > 0 } why } => $"{why}; {NowOn(connected)}",
            { Why: null } when connected.Lost != connected.Node => $"{connected.Lost} is gone; {NowOn(connected)}",
            _ => NowOn(connected),
        }
        + (connected.Degraded ? " (too few copies answer: messages may stay queued)" : ""),
        connected.Degraded ? Style.Warning : Style.Dim);

    private static string NowOn(ClientEvent.Connected connected) =>
        $"{(connected.Lost == connected.Node ? "back" : "now")} on {connected.Node}";

    public static StyledLine KeysChanged(ClientEvent.KeysChanged changed) => Note(
        KeyAlarm(changed, $"compare safety numbers with /verify {changed.User}, then /accept {changed.User}"),
        changed.State switch
        {
            PinState.IdentityRotated => Style.Warning,
            PinState.Conflict => Style.Bad,
            _ => Style.Dim,
        });

    /// <param name="toAgree">How somebody agrees to a new identity.</param>
    public static string KeyAlarm(ClientEvent.KeysChanged changed, string toAgree) => changed.State switch
    {
        PinState.DeviceChanged => $"{changed.User} logged in on a new device",
        PinState.IdentityRotated =>
            $"{changed.User} has a new identity; nothing is sent until you agree: {toAgree}",
        PinState.Conflict =>
            $"WARNING: the keys of {changed.User} are in conflict: nodes have shown you or them different ones. "
            + $"Nothing is sent to {changed.User} any more. Ask {changed.User} in person whether one of you logged in "
            + "on two machines, and tell the operator.",
        _ => $"keys of {changed.User} changed",
    };

    public static StyledLine Note(string text, Style style = Style.Dim) => new(2, new Span("· " + text, style));

    /// <param name="question">As it was typed.</param>
    public static StyledLine AnswerTo(string question)
    {
        var shown = Printable.Of(question);
        return Note($"answer to {(shown.Length > QuestionMax ? shown[..QuestionMax] + "..." : shown)}:");
    }

    public static StyledLine Problem(ChordChatException cause) =>
        new(2, new Span("! " + cause.Message.TrimEnd('.'), Style.Bad), new Span($"; {cause.Hint}", Style.Dim));
}
