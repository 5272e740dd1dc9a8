using ChordChat.Client.Terminal;
using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary>The console at a terminal, in turns, until it is left.</summary>
/// <remarks>README.md: nothing that was typed is lost without a word, also when the terminal goes away.</remarks>
internal sealed class TerminalLoop(
    ConsoleChat chat, TerminalView view, Screen screen, ConsoleInputs<KeyStroke> inputs)
{
    private static readonly TimeSpan QuitPatience = TimeSpan.FromSeconds(2);

    /// <summary>A signal leaves two seconds for everything.</summary>
    private static readonly TimeSpan SignalPatience = TimeSpan.FromSeconds(0.5);

    private bool _isClosed;

    /// <summary>Why nothing can be written to the terminal any more; null while that is possible.</summary>
    public ChordChatException? Failure { get; private set; }

    /// <summary>Leaves, as its user would.</summary>
    public void Leave() => inputs.Add(() => _isClosed = true);

    /// <param name="told">A signal tells it to leave.</param>
    public async Task RunAsync(CancellationToken told)
    {
        while (!IsOver())
        {
            await inputs.WaitAsync(told).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Write(() => screen.Batch(() => inputs.Take(IsOver, Type, chat.On)));
        }

        await FinishAsync(told.IsCancellationRequested);

        bool IsOver() => chat.Finished is not null || _isClosed || told.IsCancellationRequested;

        void Type(IReadOnlyList<KeyStroke> typed)
        {
            foreach (var stroke in KeyStroke.Merge(typed))
                if (!IsOver() && view.Type(stroke, out _isClosed) is { } line)
                    chat.OnLine(line.Line, line.IsText);
        }
    }

    /// <summary>Leaves the terminal to the shell.</summary>
    public void Close() => Write(screen.Close);

    /// <summary>A terminal that cannot be written to any more is gone, and its user with it. What is under way goes on.
    /// </summary>
    private void Write(Action what)
    {
        try
        {
            what();
        }
        catch (ChordChatException cause) when (Output.IsFailure(cause))
        {
            Failure ??= cause;
            _isClosed = true;
        }
    }

    /// <summary>Waits for nodes that are still asked for somebody, and does what was to be done then. What is typed
    /// meanwhile is left.</summary>
    private async Task FinishAsync(bool isTold)
    {
        using var patience = new CancellationTokenSource(isTold ? SignalPatience : QuitPatience);
        while (chat.IsWaiting && !patience.IsCancellationRequested)
        {
            await inputs.WaitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                Write(() => screen.Batch(() => inputs.Take(() => false, _ => { }, chat.On)));
            }
            catch (ChordChatException)
            {
                // There is still something to do.
            }
        }
    }
}
