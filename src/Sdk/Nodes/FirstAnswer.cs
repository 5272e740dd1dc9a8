namespace ChordChat.Sdk.Nodes;

/// <summary>Tries addresses a little after one another and takes the first that answers.</summary>
/// <remarks>docs/e2e.md, Known nodes. One after the other would wait seconds for each that is silent, and a stranger
/// can name many such; all at once would disturb every node. The pause is that of RFC 8305, 5.</remarks>
internal static class FirstAnswer
{
    /// <summary>All addresses are tried by then, however many there are; the last has the seconds of a link more.
    /// </summary>
    public static readonly TimeSpan StartsMax = TimeSpan.FromSeconds(3);

    /// <summary>How long an address has before the next one is tried beside it; one that fails makes room at once.
    /// </summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(250);

    /// <param name="open">Null when what answers there is not wanted.</param>
    /// <returns>The first answer, or null; and why the others failed, in the order of the addresses.</returns>
    public static async Task<(T? Answer, IReadOnlyList<ChordChatException> Reasons)> OfAsync<T>(
        IReadOnlyList<string> addresses, Func<string, CancellationToken, Task<T?>> open, TimeProvider time,
        CancellationToken cancellation) where T : class, IDisposable
    {
        using var found = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var pause = addresses.Count * PauseMax < StartsMax ? PauseMax : StartsMax / addresses.Count;
        var reasons = new ChordChatException?[addresses.Count];
        var running = new List<Task<T?>>();
        try
        {
            for (var next = 0; next < addresses.Count || running.Count > 0;)
            {
                if (next < addresses.Count)
                    running.Add(TryAsync(next++));
                Task[] awaited = next < addresses.Count
                    ? [.. running, Task.Delay(pause, time, found.Token)]
                    : [.. running];
                if (await Task.WhenAny(awaited) is not Task<T?> ended)
                    continue;
                running.Remove(ended);
                if (await ended is { } answer)
                    return (answer, []);
            }
        }
        finally
        {
            await found.CancelAsync();
            foreach (var late in running)
                _ = late.ContinueWith(
                    task => task.Result?.Dispose(), CancellationToken.None,
                    TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }

        cancellation.ThrowIfCancellationRequested();
        return (null, [.. reasons.OfType<ChordChatException>()]);

        async Task<T?> TryAsync(int at)
        {
            try
            {
                return await open(addresses[at], found.Token);
            }
            catch (ChordChatException cause)
            {
                reasons[at] = cause;
                return null;
            }
        }
    }
}
