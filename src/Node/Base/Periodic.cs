namespace ChordChat.Node.Base;

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
}
