namespace ChordChat.Node.Base;

/// <summary>Says in the log what nobody foresaw in a loop, at most once a minute.</summary>
/// <remarks>docs/protocol.md#loops. Safe for threads.</remarks>
internal sealed partial class LoopFaults<TLoop>(TimeProvider time, ILogger<TLoop> logger)
{
    private readonly LineBudget _lines = new(1);

    public void Report(Exception fault)
    {
        if (_lines.Allows((long)time.GetElapsedTime(0).TotalMilliseconds, out var unsaid))
            LogFault(fault, typeof(TLoop).Name, unsaid);
    }

    /// <summary>Does one piece of a loop's work. If it breaks off, the others are done all the same.</summary>
    public async ValueTask TryAsync(Func<Task> work, CancellationToken stopping)
    {
        try
        {
            await work();
        }
        catch (Exception fault) when (!stopping.IsCancellationRequested)
        {
            Report(fault);
        }
    }

    [LoggerMessage(6030, LogLevel.Error,
        "an error of this program: part of the work of {Loop} broke off, and is begun again later; please report this "
        + "({Unsaid} more since the last line)")]
    private partial void LogFault(Exception fault, string loop, long unsaid);
}
