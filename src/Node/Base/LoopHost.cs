namespace ChordChat.Node.Base;

/// <summary>Keeps a loop going: an exception that nobody foresaw ends neither the work nor the node.</summary>
/// <remarks>docs/protocol.md#loops.</remarks>
internal sealed class LoopHost<TLoop>(TLoop loop, LoopFaults<TLoop> faults, TimeProvider time) : BackgroundService
    where TLoop : ILoop
{
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = PauseMin;
        while (true)
        {
            var begun = time.GetTimestamp();
            if (await IsDoneAsync(stoppingToken))
                return;
            if (time.GetElapsedTime(begun) > PauseMax)
                pause = PauseMin;
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < PauseMax ? pause * 2 : PauseMax;
        }
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
        catch (OverloadedException)
        {
            return false; // Foreseen: no error of this program.
        }
        catch (Exception cause)
        {
            faults.Report(cause);
            return false;
        }
    }
}

/// <summary>How the parts of a node name their loops.</summary>
internal static class LoopServices
{
    /// <summary>A single <typeparamref name="TLoop"/>, which runs from the start of the node to its end.</summary>
    public static IServiceCollection AddLoop<TLoop>(this IServiceCollection services)
        where TLoop : class, ILoop =>
        services.AddSingleton<TLoop>().AddSingleton<LoopFaults<TLoop>>().AddHostedService<LoopHost<TLoop>>();
}
