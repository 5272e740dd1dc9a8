namespace ChordChat.Node.Discovery;

/// <summary>Other clusters on the same network: counted and said, never joined.</summary>
internal sealed class ForeignClusters(TimeProvider time)
{
    private const int ClustersMax = 64;
    private static readonly TimeSpan SayAgain = TimeSpan.FromMinutes(10);
    private readonly Dictionary<string, Sighting> _seen = [];
    private readonly Lock _turn = new();

    /// <summary>Counts a beacon of another cluster.</summary>
    /// <returns>Whether it is worth a line in the log: the first of its cluster, or the first in ten minutes.</returns>
    public bool Heard(Beacon beacon)
    {
        var now = time.GetUtcNow();
        lock (_turn)
        {
            if (!_seen.TryGetValue(beacon.Cluster, out var sighting) && _seen.Count >= ClustersMax)
                return false;
            var say = sighting is null || now - sighting.Said > SayAgain;
            _seen[beacon.Cluster] = new(
                beacon.Cluster, $"{beacon.Name} at {beacon.Address}", (sighting?.Beacons ?? 0) + 1,
                say ? now : sighting!.Said, now);
            return say;
        }
    }

    public IReadOnlyList<Sighting> Seen()
    {
        lock (_turn)
            return [.. _seen.Values];
    }

    /// <param name="Cluster">Its id in hex.</param>
    /// <param name="Node">One of its nodes, in words.</param>
    internal sealed record Sighting(string Cluster, string Node, int Beacons, DateTimeOffset Said, DateTimeOffset Last);
}
