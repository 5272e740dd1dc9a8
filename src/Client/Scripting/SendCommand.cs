using System.Threading.Channels;
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
        ScriptContext context, string[] words, string wait, TimeSpan timeout, CancellationToken cancellation)
    {
        var lines = Lines(words);
        using var profile = context.OpenProfile();
        using var me = profile.Unlock(context.Password($"password for {profile.User}: "));
        await using var session = new ScriptSession(me, context.Search);
        var client = session.Client;
        var sent = Channel.CreateBounded<(string Id, long Until)>(InFlightMax);
        var storing = StoreAsync(client, lines, sent.Writer, timeout, cancellation);
        var state = wait == "delivered" ? MessageState.Delivered : MessageState.Kept;
        var reached = true;
        await foreach (var (id, until) in sent.Reader.ReadAllAsync(cancellation))
        {
            // Counted from when it was stored, so that one message in vain costs the others nothing.
            var left = TimeSpan.FromMilliseconds(Math.Max(0, until - Environment.TickCount64));
            var waiting = ReachAsync(client.History, id, state, left, cancellation);
            await session.UnlessEndedAsync(waiting);
            reached &= Print(context, await waiting, state, timeout);
        }

        await storing;
        return reached ? 0 : CommandLine.Failed;
    }

    /// <summary>Who is to get what, read lazily.</summary>
    internal static IEnumerable<(string To, string Text)> Lines(string[] words) => words switch
    {
        ["-"] => InputLines().Select(Split),
        ["-", var user] => InputLines().Select(line => (user, line)),
        [var user, "-"] => InputLines().Select(line => (user, line)),
        [var user] when Console.IsInputRedirected => InputLines().Select(line => (user, line)),
        [_] => throw new ChordChatException(
            "usage", "there is no text to send", "write chordchat send USER TEXT, or '-' to read standard input"),
        [var user, .. var text] => [(user, string.Join(' ', text))],
        _ => throw new ChordChatException("usage", "nobody to send to", "write chordchat send USER TEXT"),
    };

    private static (string, string) Split(string line)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return space > 0
            ? (line[..space], line[(space + 1)..])
            : throw new ChordChatException(
                "usage", $"'{line}' names no text", "each line is a user, a space and a text");
    }

    private static IEnumerable<string> InputLines()
    {
        while (Console.In.ReadLine() is { } line)
            if (line.Length > 0)
                yield return line;
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
                if (known.Add(to))
                    await CheckExistsAsync(client.People, to, cancellation);
                var until = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
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
    private static async Task CheckExistsAsync(People people, string user, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(CheckTimeout);
        try
        {
            await people.CheckExistsAsync(user, limit.Token);
        }
        catch (ChordChatException cause) when (cause.Code == "unavailable")
        {
            // The message says itself what becomes of it.
        }
        catch (Exception) when (limit.IsCancellationRequested)
        {
            cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Waits for the state; a receipt may overtake the names of the nodes that keep it, so for them as well.
    /// </summary>
    private static async Task<ChatMessage> ReachAsync(
        History history, string id, MessageState state, TimeSpan timeout, CancellationToken cancellation)
    {
        var message = await history.WaitAsync(id, m => m.State >= state, timeout, cancellation);
        return message.State is < MessageState.Delivered or MessageState.Refused
            ? message
            : await history.WaitAsync(id, m => m.Copies.Count > 0, NamesTimeout, cancellation);
    }

    private static bool Print(ScriptContext context, ChatMessage message, MessageState state, TimeSpan timeout)
    {
        if (message.State == MessageState.Refused)
            throw new ChordChatException("refused", $"{message.To}: {message.Note}", "the message was not sent");
        // What was asked for is what is answered; that it may have come further since is another question.
        message = message.State > state ? message with { State = state } : message;
        var copies = message.Copies.Count > 0 ? $" at {string.Join(", ", message.Copies)}" : "";
        context.Print(
            JsonLines.Sent(message),
            $"{JsonLines.StateOf(message.State)} {message.Copies.Count}/{message.Of}{copies}");
        if (message.State >= state)
            return true;
        var late = new ChordChatException(
            "not_in_time",
            $"the message to {message.To} is {JsonLines.StateOf(message.State)} after {timeout.TotalSeconds} s",
            "it stays in the outbox and goes out with the next session");
        Console.Error.WriteLine(context.Json ? JsonLines.Error(late) : $"chordchat: {late.Message}; {late.Hint}");
        return false;
    }
}
