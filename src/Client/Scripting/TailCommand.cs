using System.Diagnostics;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Scripting;

/// <summary><c>tail</c>: prints messages that nobody has seen yet, then each new one as it comes.</summary>
internal static class TailCommand
{
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync(
        ScriptContext context, int? count, TimeSpan? timeout, CancellationToken cancellation)
    {
        using var profile = context.OpenProfile();
        using var me = profile.Unlock(context.Password($"password for {profile.User}: "));
        await using var session = new ScriptSession(me, context.Search);
        var history = session.Client.History;
        var clock = Stopwatch.StartNew();
        var printed = 0;
        while (count is null || printed < count)
        {
            var next = history.NextChange;
            var messages = history.TakeUnread(Math.Min(count - printed ?? 200, 200));
            foreach (var message in messages)
                context.Print(
                    JsonLines.Message(message),
                    $"{message.Sent.ToLocalTime():HH:mm:ss} {message.From}: {Printable.Of(message.Text)}");
            printed += messages.Count;
            if (messages.Count > 0)
                continue;
            if (timeout - clock.Elapsed is { } left)
            {
                if (left <= TimeSpan.Zero)
                    break;
                next = Task.WhenAny(next, Task.Delay(left, cancellation));
            }

            await session.UnlessEndedAsync(next.WaitAsync(cancellation));
        }

        // Their senders should learn at once that the messages have arrived.
        await session.Client.FlushAsync(FlushTimeout, CancellationToken.None);
        return count is null || printed >= count ? 0 : TooFew(context, printed, count.Value);
    }

    private static int TooFew(ScriptContext context, int printed, int count)
    {
        var cause = new ChordChatException(
            "not_in_time", $"{printed} of {count} messages came in time", "wait longer with --timeout");
        Console.Error.WriteLine(context.Json ? JsonLines.Error(cause) : $"chordchat: {cause.Message}; {cause.Hint}");
        return CommandLine.Failed;
    }
}
