using System.Globalization;
using System.Threading.Channels;
using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <summary><c>send USER TEXT</c>, <c>send USER -</c> and <c>send -</c> (each line: the user, a space, the
/// text).</summary>
internal static class SendCommand
{
    private const int InFlightMax = 256;
    private static readonly TimeSpan NamesTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CheckTimeout = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(
        ScriptContext context, IEnumerable<(string To, string Text)> lines, string wait, TimeSpan timeout,
        bool acceptIdentity,
        CancellationToken cancellation)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        await using var session = new ScriptSession(context, me);
        var client = session.Client;
        client.People.AcceptsNewIdentities = acceptIdentity;
        var sent = Channel.CreateBounded<(string Id, long Until)>(InFlightMax);
        // Apart, for it waits for each line of the input, and what became of the one before is to be told meanwhile.
        var storing = Task.Run(() => StoreAsync(client, lines, sent.Writer, timeout, cancellation), cancellation);
        var reached = await AnswerAsync(context, session, sent.Reader, wait, timeout, cancellation);
        await storing;
        return reached ? 0 : CommandLine.Failed;
    }

    /// <summary><c>resend</c>: sends what a replaced device left behind.</summary>
    public static async Task<int> ResendAsync(
        ScriptContext context, string wait, TimeSpan timeout, CancellationToken cancellation)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        await using var session = new ScriptSession(context, me);
        var ids = session.Client.History.Unsent().Select(message => message.Id).ToList();
        session.Client.SendAgain(ids);
        var sent = Channel.CreateUnbounded<(string Id, long Until)>();
        foreach (var id in ids)
            sent.Writer.TryWrite((id, Environment.TickCount64 + (long)timeout.TotalMilliseconds));
        sent.Writer.Complete();
        if (ids.Count == 0 && !context.Json)
            Output.Say("chordchat: nothing is left unsent");
        return await AnswerAsync(context, session, sent.Reader, wait, timeout, cancellation) ? 0 : CommandLine.Failed;
    }

    /// <summary>Says of each message what became of it.</summary>
    /// <returns>Whether all came as far as was asked.</returns>
    private static async Task<bool> AnswerAsync(
        ScriptContext context, ScriptSession session, ChannelReader<(string Id, long Until)> sent, string wait,
        TimeSpan timeout, CancellationToken cancellation)
    {
        var state = wait == "delivered" ? MessageState.Delivered : MessageState.Kept;
        var reached = true;
        await foreach (var (id, until) in sent.ReadAllAsync(cancellation))
        {
            // Counted from when it was read, so that one message in vain costs the others nothing.
            var left = TimeSpan.FromMilliseconds(Math.Max(0, until - Environment.TickCount64));
            var waiting = ReachAsync(session.Client.History, id, state, left, cancellation);
            await session.UnlessEndedAsync(waiting);
            reached &= Print(context, await waiting, state, timeout);
        }

        return reached;
    }

    /// <summary>Who is to get what, read lazily.</summary>
    /// <param name="literal">The words came after <c>--</c>: a '-' is a text like any other.</param>
    internal static IEnumerable<(string To, string Text)> Lines(string[] words, bool literal) => words switch
    {
        // A misspelt option would go to the other person as text.
        _ when !literal && words.FirstOrDefault(IsOption) is { } option => throw new ChordChatException(
            "usage", $"send has no option '{option}'", "if it is text, write it after --: send USER -- TEXT"),
        ["-"] when !literal => InputLines.Read().Select(Split),
        ["-", var user] when !literal => InputLines.Read().Select(line => (user, line)),
        [var user, "-"] when !literal => InputLines.Read().Select(line => (user, line)),
        [var user] when Console.IsInputRedirected => Something(InputLines.Read()).Select(line => (user, line)),
        [_] => throw NoText(),
        [var user, .. var text] => [(user, string.Join(' ', text))],
        _ => throw new ChordChatException("usage", "no recipient was given", "write chordchat send USER TEXT"),
    };

    private static bool IsOption(string word) => word is ['-', '-', ..] or ['-', >= 'a' and <= 'z', ..];

    private static IEnumerable<string> Something(IEnumerable<string> lines)
    {
        var any = false;
        foreach (var line in lines)
        {
            any = true;
            yield return line;
        }

        if (!any)
            throw NoText();
    }

    private static ChordChatException NoText() => new(
        "usage", "there is no text to send", "write chordchat send USER TEXT, or '-' to read standard input");

    private static (string, string) Split(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0
            ? (line[..space], line[(space + 1)..])
            : throw new ChordChatException(
                "usage", $"'{line}' has no text after the user's name", "each line is a user, a space and a text");
    }

    private static async Task StoreAsync(
        ChatClient client, IEnumerable<(string To, string Text)> lines, ChannelWriter<(string Id, long Until)> sent,
        TimeSpan timeout, CancellationToken cancellation)
    {
        try
        {
            var known = new HashSet<string>();
            foreach (var (to, text) in lines)
            {
                client.CheckRecipient(to);
                MessageLimits.Encode(text);
                var until = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
                if (known.Add(to))
                    await CheckExistsAsync(client, to, timeout, cancellation);
                await sent.WriteAsync((client.Send(to, text), until), cancellation);
            }

            sent.Complete();
        }
        catch (Exception cause)
        {
            sent.Complete(cause);
        }
    }

    /// <summary>Asked before anything is stored, so that a wrong name leaves nothing behind. Who cannot be looked up
    /// now holds up nobody else: the outbox asks again.</summary>
    private static async Task CheckExistsAsync(
        ChatClient client, string user, TimeSpan timeout, CancellationToken cancellation)
    {
        var check = client.People.CheckExistsAsync(user, cancellation);
        var hadNode = false;
        for (var left = timeout > CheckTimeout ? timeout : CheckTimeout; ; left -= CheckTimeout)
        {
            var isLast = left <= CheckTimeout;
            if (await Task.WhenAny(check, Task.Delay(isLast ? left : CheckTimeout, cancellation)) == check)
                break;
            if (hadNode || (isLast && (IsServed(client) || client.People.KeysOf(user) is not null)))
                return; // A node has served us so long, and this account does not answer: the message tells the rest.
            if (isLast)
                throw NotSent(user, new ChordChatException(
                    "unreachable", "no node answered in time", "wait longer with --timeout"));
            hadNode = IsServed(client);
        }

        try
        {
            await check;
        }
        catch (ChordChatException cause) when (cause.Code == "unavailable" && IsServed(client))
        {
            // As above, only sooner.
        }
        catch (ChordChatException cause) when (cause.Code is "unreachable" or "no_node" or "unavailable")
        {
            throw NotSent(user, cause);
        }
    }

    /// <summary>Whether there is a session: this program's, or that of another one of the same profile, which sends
    /// what is stored here.</summary>
    private static bool IsServed(ChatClient client) => client.Node is not null || !client.TryHoldSession();

    /// <summary>No node could say whether there is such a user, and so nothing was stored.</summary>
    private static ChordChatException NotSent(string user, ChordChatException cause) => new(
        cause.Code, $"the message to {user} was not sent and is not kept on this machine: {cause.Message}", cause.Hint,
        cause);

    /// <summary>Waits for the state; a receipt may overtake the names of the nodes that keep it, so for them as well.
    /// </summary>
    private static async Task<ChatMessage> ReachAsync(
        History history, string id, MessageState state, TimeSpan timeout, CancellationToken cancellation)
    {
        var message = await history.WaitAsync(id, m => m.State >= state, timeout, cancellation);
        return message.State is < MessageState.Delivered or > MessageState.Read
            ? message
            : await history.WaitAsync(id, m => m.IsKeptByMajority, NamesTimeout, cancellation);
    }

    private static bool Print(ScriptContext context, ChatMessage message, MessageState state, TimeSpan timeout)
    {
        if (message.State == MessageState.Refused)
            throw new ChordChatException("refused", Transcript.Refusal(message), "the message was not sent");
        message = AsAsked(message, state);
        context.Print(JsonLines.Sent(message), Line(message));
        if (message.State >= state && message.State != MessageState.Unsent)
            return true;
        context.Complain(NotInTime(message, timeout));
        return false;
    }

    /// <summary>How far a message has come that has not come as far as was asked, and what becomes of it.</summary>
    internal static ChordChatException NotInTime(ChatMessage message, TimeSpan timeout)
    {
        var after = string.Create(CultureInfo.InvariantCulture, $"after {timeout.TotalSeconds} s");
        var to = $"the message to {message.To}";
        return message.State switch
        {
            MessageState.Waiting => new(
                "not_in_time", $"{to} is still only on this machine {after}",
                "it goes out by itself with the next session of this profile: do not send it again"),
            MessageState.Queued => new(
                "not_in_time", $"{to} is at a node {after}, but a majority of its copies is not on disk yet",
                "it is sent by itself until it is kept, also with the next session of this profile: do not send it "
                + "again"),
            MessageState.Unsent => new(
                "not_in_time", $"{to} was not sent, because another device has taken over",
                "'chordchat resend' sends it when you are logged in here again"),
            _ => new(
                "not_in_time",
                $"{to} is kept on {message.Copies.Count} of {message.Of} disks, but was not delivered {after}",
                $"it is delivered when {message.To} is online: do not send it again"),
        };
    }

    /// <summary>What was asked for is what is answered; that it may have come further since is another question. But
    /// what arrived before a majority had it on disk is delivered, and never called kept.</summary>
    internal static ChatMessage AsAsked(ChatMessage message, MessageState asked) =>
        message.State is MessageState.Delivered or MessageState.Read && message.State > asked
        && (asked != MessageState.Kept || message.IsKeptByMajority)
            ? message with { State = asked }
            : message;

    internal static string Line(ChatMessage message)
    {
        var names = message.Copies.Count > 0 ? $" at {string.Join(", ", message.Copies)}" : "";
        var isOnFew = message.State >= MessageState.Kept && !message.IsKeptByMajority;
        var count = $"{message.Copies.Count}/{message.Of}";
        var now = message.Reachable is { } reachable
            ? $"; {Answers.Answering(reachable, message.Of)}"
            : "";
        return message.Of == 0
            ? JsonLines.StateOf(message.State)
            : $"{JsonLines.StateOf(message.State)}{(isOnFew ? ", on disk " : " ")}{count}{names}{now}";
    }
}
