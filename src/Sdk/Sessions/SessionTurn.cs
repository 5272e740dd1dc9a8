using Grpc.Core;

namespace ChordChat.Sdk.Sessions;

/// <summary>One turn at a time: for whoever runs or tries to open a session, or for somebody who needs that there is
/// none.</summary>
/// <remarks>docs/e2e.md, Session. Safe for threads.</remarks>
internal sealed class SessionTurn : IDisposable
{
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a node has to end a session that we leave.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _turn = new(1);
    private volatile Taken? _taken;

    /// <summary>Takes the turn for a session.</summary>
    public async Task<Taken> TakeAsync(CancellationToken stopping)
    {
        await _turn.WaitAsync(stopping);
        return _taken = new Taken(this, stopping);
    }

    /// <summary>Takes the turn for somebody who needs that there is no session.</summary>
    /// <param name="ask">Asks the node to end the session, if there is one; if that does not help in time, the turn is
    /// taken away.</param>
    public async Task<IDisposable> HoldAsync(Func<CancellationToken, Task> ask, CancellationToken cancellation)
    {
        var turn = _turn.WaitAsync(cancellation);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        while (!turn.IsCompleted)
        {
            try
            {
                if (patience.IsCancellationRequested)
                    _taken?.TakeAway();
                else
                    await ask(patience.Token);
            }
            catch (Exception cause) when (cause is RpcException or InvalidOperationException
                or OperationCanceledException)
            {
                // It is ending already, or the node takes nothing.
            }

            await Task.WhenAny(turn, Task.Delay(AskAgain, cancellation));
        }

        await turn;
        return new Held(_turn);
    }

    /// <summary>To be called when nobody takes it any more.</summary>
    public void Dispose() => _turn.Dispose();

    /// <summary>The turn, until this is disposed of.</summary>
    public sealed class Taken(SessionTurn of, CancellationToken stopping) : IDisposable
    {
        private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(stopping);

        /// <summary>Ends when the turn is taken away, and when all ends.</summary>
        public CancellationToken Token => _source.Token;

        public void TakeAway() => _source.Cancel();

        public void Dispose()
        {
            of._taken = null;
            _source.Dispose();
            of._turn.Release();
        }
    }

    private sealed class Held(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }
}
