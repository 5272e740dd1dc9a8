using System.Runtime.InteropServices;
using ChordChat.Client.Terminal;

namespace ChordChat.Client.Scripting;

/// <summary>Ends the program when a signal says so. The first one asks the command to end and gives it two seconds; a
/// second one ends it at once, as does one at a question to the person, where nothing is under way.</summary>
internal sealed class Ending : IDisposable
{
    private const int Signalled = 128; // And the signal's number, as a shell reports it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _told = new();
    private readonly PosixSignalRegistration[] _signals;
    private int _count;
    private int _first = 2;

    public Ending() => _signals =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Hear(signal, 2)),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Hear(signal, 15)),
        // Elsewhere the console has its own way with it, and what only prints has none.
        PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            if (Prompt.IsOpen)
                Hear(signal, 1);
        }),
    ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Told => _told.Token;

    /// <summary>The exit code of a command that a signal has ended.</summary>
    public int Code => Signalled + _first;

    public void Dispose()
    {
        foreach (var signal in _signals)
            signal.Dispose();
        _told.Dispose();
    }

    private void Hear(PosixSignalContext signal, int number)
    {
        signal.Cancel = true;
        if (Interlocked.Increment(ref _count) > 1 || Prompt.IsOpen)
            Exit(number);
        _first = number;
        _ = EndAsync(number);
    }

    private async Task EndAsync(int number)
    {
        try
        {
            await _told.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            return; // It has just ended.
        }

        await Task.Delay(Patience);
        Exit(number);
    }

    private static void Exit(int number)
    {
        if (Prompt.IsOpen)
            Output.Say("");
        Environment.Exit(Signalled + number);
    }
}
