using System.Globalization;
using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <param name="Problem">Why nothing can be sent.</param>
internal readonly record struct LineToSend(string To, string Text, ChordChatException? Problem = null);

/// <summary><c>send USER TEXT</c>, <c>send USER -</c> and <c>send -</c> (each line: the user, a space, the
/// text).</summary>
internal static class SendCommand
{
    private static readonly TimeSpan NamesTimeout = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(
        ScriptContext context, IEnumerable<LineToSend> lines, string wait, TimeSpan timeout,
        bool acceptIdentity,
        CancellationToken cancellation)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        await using var session = new ScriptSession(context, me);
        session.Client.People.AcceptsNewIdentities = acceptIdentity;
        using var batch = new SendBatch(session.Client, timeout);
        // Apart, for it waits for each line of the input, and what became of the one before is to be told meanwhile.
        _ = Task.Run(() => batch.StoreAsync(lines, cancellation), CancellationToken.None);
        return await AnswerAsync(context, session, batch, wait, timeout, cancellation) ? 0 : CommandLine.Failed;
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
        if (ids.Count == 0 && !context.Json)
            Output.Say("chordchat: nothing is left unsent");
        using var batch = new SendBatch(session.Client, timeout);
        _ = Task.Run(() => batch.TakeAsync(ids, cancellation), CancellationToken.None);
        return await AnswerAsync(context, session, batch, wait, timeout, cancellation) ? 0 : CommandLine.Failed;
    }

    /// <summary>Says of each line what became of it.</summary>
    /// <returns>Whether all came as far as was asked.</returns>
    private static async Task<bool> AnswerAsync(
        ScriptContext context, ScriptSession session, SendBatch batch, string wait, TimeSpan timeout,
        CancellationToken cancellation)
    {
        var state = wait == "delivered" ? MessageState.Delivered : MessageState.Kept;
        var history = session.Client.History;
        var (reached, isHeard) = (true, true);
        try
        {
            // The input may stay open for days, so the end of the session is looked for while it is silent, and before
            // each line: one that comes later is sent by nobody.
            while (await session.UnlessEndedAsync(batch.HasNextAsync(cancellation)))
            {
                session.ThrowIfEnded();
                var line = batch.Next();
                if (line.Problem is { } problem)
                {
                    context.Complain(problem);
                    reached = false;
                    continue;
                }

                // Counted from when it was read, so that one message in vain costs the others nothing.
                var left = TimeSpan.FromMilliseconds(Math.Max(0, line.Until - Environment.TickCount64));
                var waiting = ReachAsync(history, line.Id, state, left, cancellation);
                var message = await session.UnlessEndedAsync(waiting);
                reached &= Print(context, message, state, timeout);
            }
        }
        catch (ChordChatException failure) when (Output.IsFailure(failure))
        {
            isHeard = false;
            throw Output.AfterTheFact(
                failure, "what was read is stored and goes out all the same: do not send it again; 'chordchat history "
                + "USER' shows what became of it");
        }
        finally
        {
            // Something when it ends early: whoever repeats the rest must know what is stored already.
            foreach (var id in batch.End())
                if (isHeard)
                    PrintState(context, history.Find(id)!);
        }

        return reached;
    }

    /// <summary>Who is to get what, read lazily.</summary>
    /// <param name="literal">The words came after <c>--</c>: a '-' is a text like any other.</param>
    internal static IEnumerable<LineToSend> Lines(string[] words, bool literal) => words switch
    {
        // A misspelt option would go to the other person as text.
        _ when !literal && words.FirstOrDefault(IsOption) is { } option => throw new ChordChatException(
            "usage", $"send has no option '{option}'", TextHint),
        ["-"] when !literal => InputLines.Read().Select(Split),
        ["-", var user] when !literal => InputLines.Read().Select(line => new LineToSend(user, line)),
        [var user, "-"] when !literal => InputLines.Read().Select(line => new LineToSend(user, line)),
        [var user] when Console.IsInputRedirected =>
            Something(InputLines.Read()).Select(line => new LineToSend(user, line)),
        [_] => throw NoText(),
        [var user, .. var text] => [new(user, string.Join(' ', text))],
        _ => throw new ChordChatException("usage", "no recipient was given", "write chordchat send USER TEXT"),
    };

    /// <summary>What to do about a word that is taken for an option.</summary>
    internal const string TextHint = "if it is text, write it after --: send USER -- TEXT";

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

    private static LineToSend Split(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0
            ? new(line[..space], line[(space + 1)..])
            : new("", "", new ChordChatException(
                "usage", $"'{line}' has no text after the user's name", "each line is a user, a space and a text"));
    }

    /// <summary>Waits for the state; a receipt may overtake the names of the nodes that keep it, so for them as well.
    /// What is unsent has come nowhere: the end of the session, which comes next, says why.</summary>
    private static async Task<ChatMessage> ReachAsync(
        History history, string id, MessageState state, TimeSpan timeout, CancellationToken cancellation)
    {
        var message = await history.WaitAsync(
            id, m => m.State >= state && m.State != MessageState.Unsent, timeout, cancellation);
        return message.State is < MessageState.Delivered or > MessageState.Read
            ? message
            : await history.WaitAsync(id, m => m.IsKeptByMajority, NamesTimeout, cancellation);
    }

    private static bool Print(ScriptContext context, ChatMessage message, MessageState state, TimeSpan timeout)
    {
        message = AsAsked(message, state);
        PrintState(context, message);
        if (message.State >= state && message.State is not (MessageState.Unsent or MessageState.Refused))
            return true;
        context.Complain(message.State == MessageState.Refused
            ? new ChordChatException("refused", Transcript.Refusal(message), "the message was not sent")
            : NotInTime(message, timeout));
        return false;
    }

    private static void PrintState(ScriptContext context, ChatMessage message) =>
        context.Print(JsonLines.Sent(message), Line(message));

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
                "not_in_time",
                $"{to} is unsent, because another device has taken over"
                    + (message.Note.Length > 0 ? $" ({message.Note})" : ""),
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
        return message.Of == 0 || message.State == MessageState.Refused
            ? JsonLines.StateOf(message.State)
            : $"{JsonLines.StateOf(message.State)}{(isOnFew ? ", on disk " : " ")}{count}{names}{now}";
    }
}
