using ChordChat.Bench.Users;

namespace ChordChat.Bench.Load;

/// <summary>Sessions spread over the nodes, kept alive until this is disposed of.</summary>
internal sealed class SessionGroup : IAsyncDisposable
{
    private const int OpenedAtOnce = 8;
    private static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource _over = new();
    private readonly BenchSession[] _sessions;
    private Task _beating = Task.CompletedTask;

    private SessionGroup(int count) => _sessions = new BenchSession[count];

    public IReadOnlyList<BenchSession> Sessions => _sessions;

    /// <summary>Opens a session for each of them.</summary>
    /// <param name="firstNode">Where the first of them goes; the next goes to the next node.</param>
    /// <param name="nodeCount">Only the first so many nodes; null for all.</param>
    public static async Task<SessionGroup> OpenAsync(
        Workbench bench, IReadOnlyList<Person> people, int firstNode, CancellationToken cancellation,
        int? nodeCount = null)
    {
        var group = new SessionGroup(people.Count);
        group._beating = group.BeatAsync();
        var nodes = bench.Nodes.All;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = OpenedAtOnce, CancellationToken = cancellation };
        await Parallel.ForAsync(0, people.Count, parallel, async (i, stopping) =>
            group._sessions[i] = await BenchSession.OpenAsync(
                nodes[(firstNode + i) % (nodeCount ?? nodes.Count)], people[i], bench.People.Cluster, stopping));
        return group;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _beating.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var session in _sessions)
            session?.Dispose();
        _over.Dispose();
    }

    private async Task BeatAsync()
    {
        using var timer = new PeriodicTimer(HeartbeatInterval);
        while (await timer.WaitForNextTickAsync(_over.Token))
            foreach (var session in _sessions)
                session?.Heartbeat();
    }
}
