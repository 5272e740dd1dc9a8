using Microsoft.AspNetCore.Connections;

namespace ChordChat.Node.Hosting;

/// <summary>Closes connections past the process's share of descriptors, and says in the log what ran out: one line a
/// minute. Safe for threads.</summary>
internal sealed partial class OpenConnections(DescriptorLimit limit, ILogger logger)
{
    private readonly AddressLimit _addresses = new(limit.PerAddress);
    private readonly LineBudget _lines = new(1);
    private int _open;
    private int _unfinished;

    /// <summary>Before TLS: a refused connection costs no handshake.</summary>
    public ConnectionDelegate Limit(ConnectionDelegate next)
    {
        var limited = _addresses.Limit(next);
        return async connection =>
        {
            var (open, unfinished) = (Interlocked.Increment(ref _open), Interlocked.Increment(ref _unfinished));
            var handshake = new Handshake(this);
            connection.Features.Set(handshake);
            try
            {
                if (open <= limit.Connections && unfinished <= limit.Unfinished)
                    await limited(connection);
                else if (_lines.Allows(Environment.TickCount64, out var closed))
                    LogFull(limit.Connections, limit.Unfinished, closed);
            }
            finally
            {
                handshake.End();
                Interlocked.Decrement(ref _open);
            }
        };
    }

    /// <summary>After TLS.</summary>
    public static ConnectionDelegate Finished(ConnectionDelegate next) => connection =>
    {
        connection.Features.Get<Handshake>()?.End();
        return next(connection);
    };

    [LoggerMessage(7019, LogLevel.Warning,
        "connections are closed at once: at most {Open} may be open and {Unfinished} in their handshake, or this "
        + "process would run out of file descriptors (ulimit -n); {Closed} more were closed since the last line")]
    private partial void LogFull(int open, int unfinished, long closed);

    private sealed class Handshake(OpenConnections of)
    {
        private int _isOver;

        public void End()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
                Interlocked.Decrement(ref of._unfinished);
        }
    }
}
