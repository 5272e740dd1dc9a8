using System.Diagnostics;
using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Scripting;

/// <summary><c>tail</c>: prints messages that nobody has seen yet, then each new one as it comes.</summary>
/// <remarks>A message counts as shown only once it is written; a write that fails ends this.</remarks>
internal static class TailCommand
{
    private const int BatchMax = 200;
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(3);

    /// <summary>How often somebody else's turn and a reader that has gone are looked for.</summary>
    private static readonly TimeSpan TurnPoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ReaderPoll = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(
        ScriptContext context, int? count, TimeSpan? timeout, bool requests, CancellationToken cancellation)
    {
        using var profile = context.OpenProfile();
        using var me = context.Unlock(profile);
        await using var session = new ScriptSession(context, me);
        var history = session.Client.History;
        if (context.Json)
            Output.BeginLine();
        var start = history.BeginPrinting(); // What a console shows first from now on is printed as well.
        var printed = 0;
        try
        {
            printed = await PrintAsync(context, session, start, count, timeout, requests, cancellation);
        }
        catch (Exception cause) when (!Output.IsFailure(cause))
        {
            history.EndPrinting(start); // What it was given is written.
            throw;
        }

        history.EndPrinting(start);
        // Their senders should learn at once that the messages have arrived.
        await session.Client.FlushAsync(FlushTimeout, CancellationToken.None);
        return count is null || printed >= count
            ? 0
            : TooFew(context, printed, count.Value, requests ? 0 : history.Requests().Count);
    }

    /// <returns>How many were printed.</returns>
    private static async Task<int> PrintAsync(
        ScriptContext context, ScriptSession session, long start, int? count, TimeSpan? timeout, bool requests,
        CancellationToken cancellation)
    {
        var history = session.Client.History;
        var bell = new RequestBell(session.Client, "chordchat ");
        var clock = Stopwatch.StartNew();
        var printed = 0;
        while (count is null || printed < count)
        {
            var next = history.NextChange;
            var shown = history.ShowUnread(
                Math.Min(count - printed ?? BatchMax, BatchMax), (message, again) => Print(context, message, again),
                requests, readSince: start);
            if (!requests && !context.Json)
                foreach (var line in bell.All())
                    Output.Say($"chordchat: {line}");
            cancellation.ThrowIfCancellationRequested();
            printed += shown ?? 0;
            if (shown > 0)
                continue;
            var wait = shown is null ? TurnPoll : ReaderPoll;
            if (timeout - clock.Elapsed is { } left)
            {
                if (left <= TimeSpan.Zero)
                {
                    if (!context.Json && clock.Elapsed > ReaderPoll && !session.WasConnected)
                        Output.Say("chordchat: no node gave us a session in this time; new messages may wait there");
                    break;
                }

                wait = left < wait ? left : wait;
            }

            await session.UnlessEndedAsync(Task.WhenAny(next, Task.Delay(wait, cancellation)).WaitAsync(cancellation));
            Output.CheckReader();
        }

        return printed;
    }

    public static void Print(ScriptContext context, ChatMessage message, bool again)
    {
        context.PrintMissing(message);
        context.Print(
            JsonLines.Message(message, again),
            new Span($"{QueryCommands.Time(message.Sent)} {message.From}: ", Style.Plain),
            Transcript.Text(message, message.From),
            new Span(Transcript.Marks(message) + (again ? " (again)" : ""), Style.Plain));
    }

    private static int TooFew(ScriptContext context, int printed, int count, int requests)
    {
        context.Complain(new ChordChatException(
            "not_in_time", $"{printed} of {count} messages came in time",
            requests == 0
                ? "wait longer with --timeout"
                : $"people you never wrote to are waiting ({requests}): see 'chordchat requests', or use --requests"));
        return CommandLine.Failed;
    }
}
