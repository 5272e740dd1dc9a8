namespace ChordChat.Node.Hosting;

/// <summary>Keeps a loop going: an exception that nobody foresaw ends neither the work nor the node.</summary>
/// <remarks>docs/protocol.md#loops.</remarks>
internal sealed partial class LoopHost<TLoop>(TLoop loop, TimeProvider time, ILogger<TLoop> logger) : BackgroundService
    where TLoop : ILoop
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly LineBudget _lines = new(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!await IsDoneAsync(stoppingToken))
            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<bool> IsDoneAsync(CancellationToken stopping)
    {
        try
        {
            await loop.RunAsync(stopping);
            return true;
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            return true; // The node stops.
        }
        catch (Exception cause)
        {
            if (_lines.Allows((long)time.GetElapsedTime(0).TotalMilliseconds, out var unsaid))
                LogFault(cause, typeof(TLoop).Name, unsaid);
            return false;
        }
    }

    [LoggerMessage(6030, LogLevel.Error,
        "an error of this program: {Loop} broke off and begins again; please report this ({Unsaid} more since the "
        + "last line)")]
    private partial void LogFault(Exception cause, string loop, long unsaid);
}

/// <summary>How the parts of a node name their loops.</summary>
internal static class LoopServices
{
    /// <summary>A single <typeparamref name="TLoop"/>, which runs from the start of the node to its end.</summary>
    public static IServiceCollection AddLoop<TLoop>(this IServiceCollection services)
        where TLoop : class, ILoop =>
        services.AddSingleton<TLoop>().AddHostedService<LoopHost<TLoop>>();
}
