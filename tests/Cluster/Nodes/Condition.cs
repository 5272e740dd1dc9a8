namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>Waits for what must become true, never for a time.</summary>
internal static class Condition
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <param name="what">What is waited for, as the failure says it.</param>
    public static async Task UntilAsync(string what, TimeSpan within, Func<Task<bool>> holds)
    {
        using var deadline = new CancellationTokenSource(within);
        while (!await holds())
        {
            if (deadline.IsCancellationRequested)
                throw new TimeoutException($"not within {within.TotalSeconds} s: {what}");
            await Task.Delay(Look, CancellationToken.None);
        }
    }
}
