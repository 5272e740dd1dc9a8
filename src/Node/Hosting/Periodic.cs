namespace ChordChat.Node.Hosting;

/// <summary>Work that comes round again and again.</summary>
internal static class Periodic
{
    /// <summary>Runs <paramref name="beat"/> again and again until cancelled, never two at a time.</summary>
    /// <remarks>Each wait is 75 % to 125 % of <paramref name="interval"/>, so nodes started together drift
    /// apart.</remarks>
    public static async Task RunAsync(
        TimeSpan interval, TimeProvider time, Func<CancellationToken, ValueTask> beat, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(interval * (0.75 + (Random.Shared.NextDouble() / 2)), time, stopping);
            await beat(stopping);
        }
    }

    /// <summary>Runs all of <paramref name="works"/> side by side. If one breaks off the others are ended too, so that
    /// all can begin again.</summary>
    public static async Task RunAllAsync(CancellationToken stopping, params Func<CancellationToken, Task>[] works)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Task.WhenAll(works.Select(async work =>
        {
            try
            {
                await work(end.Token);
            }
            catch
            {
                await end.CancelAsync();
                throw;
            }
        }));
    }
}
