namespace ChordChat.Node.Base;

/// <summary>What comes back to whoever asks by handing over a callback.</summary>
internal static class Callback
{
    /// <summary>Asks and waits for what comes back, but not longer than <paramref name="timeout"/>.</summary>
    /// <param name="ask">Gets the callback, which may be called on any thread, or never.</param>
    /// <returns>Null when nothing came in time.</returns>
    public static async Task<T?> InTimeAsync<T>(
        Action<Action<T?>> ask, TimeSpan timeout, TimeProvider time, CancellationToken cancellation)
        where T : class
    {
        var came = new TaskCompletionSource<T?>(TaskCreationOptions.RunContinuationsAsynchronously);
        ask(answer => came.TrySetResult(answer));
        try
        {
            return await came.Task.WaitAsync(timeout, time, cancellation);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }
}
