using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using ChordChat.Client.Scripting;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;

namespace ChordChat.Client.Conversation;

/// <summary><c>chordchat</c> without a command: asks who you are, then chats until you leave.</summary>
internal static class ConsoleProgram
{
    private static readonly TimeSpan QuitPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PipePatience = TimeSpan.FromSeconds(5);

    /// <summary>Lines from a pipe that wait in memory.</summary>
    private const int LinesMax = 64;

    public static async Task<int> RunAsync(ScriptContext context, CancellationToken cancellation)
    {
        using var door = await FrontDoor.EnterAsync(context, cancellation);
        await using var client = new ChatClient(door.Me, context.Search);
        if (!client.TryHoldSession())
            throw new ChordChatException(
                "profile_in_use", $"another chordchat of {client.User} is running on this profile",
                "use that one, or close it first");
        client.Start();
        return Console.IsInputRedirected || Console.IsOutputRedirected || Output.IsDumb
            ? await PlainAsync(client, context, cancellation)
            : await TerminalAsync(client, context, cancellation);
    }

    private static async Task<int> TerminalAsync(
        ChatClient client, ScriptContext context, CancellationToken cancellation)
    {
        var strokes = Channel.CreateUnbounded<KeyStroke>();
        var inputs = new ConsoleInputs<KeyStroke>(strokes.Reader, client.Events);
        await using var output = new StreamWriter(Output.Open(), new UTF8Encoding(false), 16 * 1024);
        var colours = Environment.GetEnvironmentVariable("NO_COLOR") is not { Length: > 0 };
        var screen = new Screen(output, () => Output.Size, colours);
        ConsoleChat? chat = null;
        var view = new TerminalView(screen, () => chat?.Names ?? []);
        chat = new ConsoleChat(client, view, task => _ = LaterAsync(task, inputs.Add), context.PasswordAtHand);
        var loop = new TerminalLoop(chat, view, screen, inputs);
        Console.TreatControlCAsInput = true;
        KeyReader.Start(strokes.Writer);
        using var resized = OperatingSystem.IsWindows()
            ? null
            : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => inputs.Add(view.Redraw));
        using var hungUp = HangUp(loop.Leave);
        try
        {
            screen.Open();
            screen.Batch(chat.Start);
            await loop.RunAsync(cancellation);
        }
        finally
        {
            Leave(chat, loop);
        }

        cancellation.ThrowIfCancellationRequested();
        await SendTheRestAsync(client, QuitPatience, CancellationToken.None);
        SayFailed(chat);
        return loop.Failure is { } failure ? throw failure : chat.Finished ?? (chat.IsOver ? CommandLine.Failed : 0);
    }

    private static void Leave(ConsoleChat chat, TerminalLoop loop)
    {
        try
        {
            loop.Close();
            Console.TreatControlCAsInput = false;
        }
        catch (IOException)
        {
            // The terminal is gone, and takes no settings any more.
        }
        finally
        {
            SayUndone(chat);
        }
    }

    /// <summary>Nothing that was typed is lost without a word.</summary>
    private static void SayUndone(ConsoleChat chat)
    {
        foreach (var what in chat.Undone)
            Output.Say($"{chat.WhyUndone}: {what}");
    }

    /// <summary>What has become of messages since the chat was left is on no line of it.</summary>
    /// <returns>Whether all go on their way.</returns>
    private static bool SayFailed(ConsoleChat chat)
    {
        var failed = chat.FailedMessages();
        foreach (var (message, isSaid) in failed)
            if (!isSaid)
                Output.Say(message.State == MessageState.Refused
                    ? $"your message was refused ({Transcript.Refusal(message)}): {message.Text}"
                    : $"your message to {message.To} is left unsent{Transcript.Marks(message)}: {message.Text}");
        return failed.Count == 0;
    }

    /// <summary>A terminal that goes away ends the chat as its user would: the terminal may be a real one after
    /// all.</summary>
    private static PosixSignalRegistration? HangUp(Action leave) => OperatingSystem.IsWindows()
        ? null
        : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            leave();
        });

    /// <summary>What was typed just now should not wait for the next time without a word.</summary>
    /// <returns>Whether nothing waits.</returns>
    private static async Task<bool> SendTheRestAsync(
        ChatClient client, TimeSpan patience, CancellationToken cancellation)
    {
        if (client.UnsentTexts == 0 || await client.FlushAsync(patience, cancellation))
            return true;
        if (client.UnsentTexts is var left and > 0)
            Output.Say(
                $"{left} {(left == 1 ? "message waits" : "messages wait")} on this machine; "
                + $"{(left == 1 ? "it goes" : "they go")} out when you start chordchat again");
        return false;
    }

    private static async Task<int> PlainAsync(
        ChatClient client, ScriptContext context, CancellationToken cancellation)
    {
        var lines = Channel.CreateBounded<string?>(LinesMax);
        var inputs = new ConsoleInputs<string?>(lines.Reader, client.Events);
        var pending = new List<Task>();
        var chat = new ConsoleChat(
            client, new PlainView(Output.Print), task => pending.Add(LaterAsync(task, inputs.Add)),
            context.PasswordAtHand);
        var (ended, takesAll) = (false, true);
        _ = Task.Run(() => ReadAsync(lines.Writer), cancellation);
        try
        {
            chat.Start();
            while (!IsOver())
            {
                await inputs.WaitAsync(cancellation);
                inputs.Take(IsOver, Type, chat.On);
            }

            await Task.WhenAll(pending).WaitAsync(cancellation);
            for (var left = client.Events.Count; left >= 0; left -= ConsoleInputs.EventsAtOnce)
                inputs.Take(() => false, _ => { }, chat.On);
        }
        finally
        {
            SayUndone(chat);
            if (chat.IsOver && !ended)
                Output.Say("the session has ended: what else the input has is not sent");
        }

        // What was typed into a pipe must not be lost because the pipe was short.
        var sent = await SendTheRestAsync(client, PipePatience, cancellation);
        return SayFailed(chat) && takesAll && sent && !chat.HasFailed ? chat.Finished ?? 0 : CommandLine.Failed;

        bool IsOver() => chat.Finished is not null || ended;

        void Type(IReadOnlyList<string?> typed)
        {
            foreach (var line in typed)
                if (IsOver())
                    return;
                else if (line is null)
                    ended = true;
                else if (line.Contains(Replaced.Letter))
                    takesAll = Refuse(line, chat);
                else
                    chat.OnLine(line);
        }
    }

    private static bool Refuse(string line, ConsoleChat chat)
    {
        if (line.TrimStart().StartsWith("/chat", StringComparison.OrdinalIgnoreCase))
            chat.Close();
        Output.Say($"'{line}' is not UTF-8 (or has U+FFFD), so it was left out; convert it first, as with iconv");
        return false;
    }

    /// <summary>Lines, and null at the end of them. What there is no time for yet waits in the pipe.</summary>
    private static async Task ReadAsync(ChannelWriter<string?> lines)
    {
        while (Console.In.ReadLine() is { } line)
            await lines.WriteAsync(line);
        await lines.WriteAsync(null);
    }

    private static async Task LaterAsync(Task<Action> task, Action<Action> add) => add(await task);
}
