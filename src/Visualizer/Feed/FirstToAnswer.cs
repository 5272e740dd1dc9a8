using ChordChat.Visualizer.Trust;

namespace ChordChat.Visualizer.Feed;

/// <summary>Tries many addresses a little after one another and takes the first node that answers.</summary>
/// <remarks>One after the other would wait for every machine that is down; all at once would disturb all.</remarks>
internal static class FirstToAnswer
{
    private const int AddressesMax = 64;
    private static readonly TimeSpan Stagger = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1200);

    /// <returns>The link, or null; and why a node that answered is not believed, when only such answered.</returns>
    public static async Task<(NodeLink? Link, string? Stranger)> OfAsync(
        IEnumerable<string> addresses, AuthorityPin pin, TimeProvider time, CancellationToken cancellation)
    {
        using var found = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var waiting = new Queue<string>(addresses.Distinct().Take(AddressesMax));
        List<Task<(NodeLink?, string?)>> running = [];
        string? stranger = null;
        while (waiting.Count > 0 || running.Count > 0)
        {
            if (waiting.TryDequeue(out var address))
                running.Add(TryAsync(address, pin, found.Token));
            Task[] awaited = waiting.Count > 0 ? [.. running, Task.Delay(Stagger, time, cancellation)] : [.. running];
            if (await Task.WhenAny(awaited) is not Task<(NodeLink?, string?)> answer)
                continue;
            running.Remove(answer);
            var (link, other) = await answer;
            stranger ??= other;
            if (link is null)
                continue;
            await found.CancelAsync();
            foreach (var late in running)
                (await late).Item1?.Dispose();
            return (link, null);
        }

        cancellation.ThrowIfCancellationRequested();
        return (null, stranger);
    }

    private static async Task<(NodeLink? Link, string? Stranger)> TryAsync(
        string address, AuthorityPin pin, CancellationToken found)
    {
        try
        {
            return (await NodeLink.TryConnectAsync(address, pin, Patience, found), null);
        }
        catch (StrangeClusterException strange)
        {
            return (null, strange.Message);
        }
        catch (OperationCanceledException)
        {
            return (null, null);
        }
    }
}
