using ChordChat.Node.Base;

namespace ChordChat.Tests.Unit.Base;

/// <summary>A loop of a node that runs until this is disposed.</summary>
internal sealed class RunningLoop : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public RunningLoop(ILoop loop) => _running = loop.RunAsync(_end.Token);

    public void Dispose()
    {
        _end.Cancel();
        _running.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        _end.Dispose();
    }
}
