using System.Runtime.InteropServices;

namespace ChordChat.Node.Operations;

/// <summary>SIGTERM and Ctrl+C: the first asks the node to leave in order, the second ends the process at
/// once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private readonly CancellationTokenSource _first = new();
    private int _count;

    public StopSignals() => _registrations =
        [.. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT }
            .Select(signal => PosixSignalRegistration.Create(signal, Take))];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken First => _first.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _first.Dispose();
    }

    private void Take(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (Interlocked.Increment(ref _count) == 1)
            _first.Cancel();
        else
            Environment.Exit(Environment.ExitCode); // A write that was answered is on disk already.
    }
}

/// <summary>The host listens to no signals itself: <see cref="StopSignals"/> does.</summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
