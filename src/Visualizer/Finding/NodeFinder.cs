using ChordChat.Visualizer.Hosting;

namespace ChordChat.Visualizer.Finding;

/// <summary>Where a node might be: what the start or the environment says, what the network answers.</summary>
internal sealed class NodeFinder(VisualizerOptions options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);
    private static readonly string[] UsualPlaces = [.. Enumerable.Range(7401, 5).Select(port => $"localhost:{port}")];

    /// <summary>The authority's certificate in the cluster file, DER; null to believe the first one met.</summary>
    public byte[]? Authority => options.ClusterFile is { } path ? ClusterFile.Read(path).Authority : null;

    /// <summary>The folder of the certificate that nodes name people for; null for none.</summary>
    public string? Viewer => options.Viewer;

    /// <summary>Every address worth trying, the best first.</summary>
    /// <remarks>The cluster file is read anew each time: nodes come and go, and ports change.</remarks>
    public async Task<IReadOnlyList<string>> FindAsync(CancellationToken cancellation)
    {
        List<string> found = [.. options.Nodes];
        if (options.ClusterFile is { } path)
            found.AddRange(ClusterFile.Read(path).Nodes);
        if (options.Search && options.Nodes.Count == 0)
        {
            found.AddRange(await MulticastQuestion.AskAsync(Patience, cancellation));
            found.AddRange(UsualPlaces);
        }

        return [.. found.Distinct()];
    }
}
