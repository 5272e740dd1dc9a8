using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using ChordChat.Client.Scripting;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary><c>chordchat</c> without a command: asks who you are, then chats until you leave.</summary>
internal static class ConsoleProgram
{
    private static readonly TimeSpan QuitPatience = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(ScriptContext context, CancellationToken cancellation)
    {
        using var door = await FrontDoor.EnterAsync(context, cancellation);
        await using var client = new ChatClient(door.Me, context.Search);
        if (!client.TryHoldSession())
            throw new ChordChatException(
                "profile_in_use", $"another chordchat of {client.User} is running on this profile",
                "use that one, or close it first");
        client.Start();
        return Console.IsInputRedirected || Console.IsOutputRedirected
            ? await PlainAsync(client, context, cancellation)
            : await TerminalAsync(client, context, cancellation);
    }

    private static async Task<int> TerminalAsync(
        ChatClient client, ScriptContext context, CancellationToken cancellation)
    {
        var inputs = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
        var strokes = Channel.CreateUnbounded<KeyStroke>();
        await using var output = new StreamWriter(Output.Open(), new UTF8Encoding(false), 16 * 1024);
        var colours = Environment.GetEnvironmentVariable("NO_COLOR") is not { Length: > 0 };
        var screen = new Screen(output, () => Output.Size, colours);
        ConsoleChat? chat = null;
        var view = new TerminalView(screen, () => chat?.Names ?? []);
        chat = new ConsoleChat(
            client, view, task => _ = LaterAsync(task, inputs.Writer), context.PasswordAtHand);
        var closed = false;
        Console.TreatControlCAsInput = true;
        KeyReader.Start(strokes.Writer);
        using var resized = OperatingSystem.IsWindows()
            ? null
            : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, _ => inputs.Writer.TryWrite(view.Redraw));
        using var hungUp = HangUp(() => inputs.Writer.TryWrite(() => closed = true));
        using var stop = new CancellationTokenSource();
        var pumps = Task.WhenAll(
            PumpAsync(strokes.Reader, typed => () =>
            {
                foreach (var stroke in KeyStroke.Merge(typed))
                    if (!closed && chat.Finished is null && view.Type(stroke, out closed) is { } line)
                        chat.OnLine(line.Line, line.IsText);
            }, inputs.Writer, stop.Token),
            PumpAsync(client.Events, all => () =>
            {
                foreach (var happened in all)
                    chat.On(happened);
            }, inputs.Writer, stop.Token));
        try
        {
            screen.Open();
            screen.Batch(chat.Start);
            while (chat.Finished is null && !closed && await inputs.Reader.WaitToReadAsync(cancellation))
                screen.Batch(() =>
                {
                    while (chat.Finished is null && !closed && inputs.Reader.TryRead(out var next))
                        next();
                });
        }
        finally
        {
            screen.Close();
            Console.TreatControlCAsInput = false;
            await stop.CancelAsync();
            await pumps.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await SendTheRestAsync(client);
        return chat.Finished ?? (chat.IsOver ? CommandLine.Failed : 0);
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
    private static async Task SendTheRestAsync(ChatClient client)
    {
        if (client.UnsentTexts == 0 || await client.FlushAsync(QuitPatience))
            return;
        if (client.UnsentTexts is var left and > 0)
            Output.Say(
                $"{left} {(left == 1 ? "message waits" : "messages wait")} on this machine; "
                + $"{(left == 1 ? "it goes" : "they go")} out when you start chordchat again");
    }

    private static async Task<int> PlainAsync(
        ChatClient client, ScriptContext context, CancellationToken cancellation)
    {
        var inputs = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
        var view = new PlainView(Console.Out);
        var pending = new List<Task>();
        var chat = new ConsoleChat(
            client, view, task => pending.Add(LaterAsync(task, inputs.Writer)), context.PasswordAtHand);
        using var stop = new CancellationTokenSource();
        var pump = PumpAsync(client.Events, all => () =>
        {
            foreach (var happened in all)
                chat.On(happened);
        }, inputs.Writer, stop.Token);
        var ended = false;
        var reading = Task.Run(() =>
        {
            while (Console.In.ReadLine() is { } line)
                inputs.Writer.TryWrite(() => chat.OnLine(line));
            inputs.Writer.TryWrite(() => ended = true);
        }, cancellation);
        chat.Start();
        while (chat.Finished is null && !ended)
            (await inputs.Reader.ReadAsync(cancellation))();
        await Task.WhenAll(pending);
        while (inputs.Reader.TryRead(out var rest))
            rest();
        // What was typed into a pipe must not be lost because the pipe was short.
        var flushed = await client.FlushAsync(TimeSpan.FromSeconds(5), cancellation);
        await stop.CancelAsync();
        await pump.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return chat.Finished ?? (flushed ? 0 : CommandLine.Failed);
    }

    private static async Task LaterAsync(Task<Action> task, ChannelWriter<Action> inputs) =>
        inputs.TryWrite(await task);

    /// <summary>Hands over all there is at once, so that much of it costs one drawing.</summary>
    private static async Task PumpAsync<T>(
        ChannelReader<T> from, Func<IReadOnlyList<T>, Action> wrap, ChannelWriter<Action> to,
        CancellationToken stopping)
    {
        while (await from.WaitToReadAsync(stopping))
        {
            var all = new List<T>();
            while (from.TryRead(out var item))
                all.Add(item);
            to.TryWrite(wrap(all));
        }
    }
}
