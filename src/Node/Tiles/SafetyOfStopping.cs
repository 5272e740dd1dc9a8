using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>Whether every tile of this node can do without it: asks the other members how they stand.</summary>
internal sealed class SafetyOfStopping(TileBoard board, ReplicaCalls calls, RingDriver ring)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(2);

    /// <summary>The tiles that forbid stopping this node, each with why, in words; none when it is safe.</summary>
    public async Task<IReadOnlyList<string>> ObstaclesAsync(CancellationToken cancellation)
    {
        var held = board.All.Where(header => header.Phase is not (TilePhase.Retired or TilePhase.None)).ToArray();
        var answers = await Task.WhenAll(held.Select(header => ObstacleAsync(header, cancellation)));
        return [.. answers.OfType<string>().Order(StringComparer.Ordinal)];
    }

    private async Task<string?> ObstacleAsync(TileHeader header, CancellationToken cancellation)
    {
        if (header.Phase is not TilePhase.Active)
            return $"tile {header.Tile}: a change of its members is under way";
        var configuration = header.Configuration;
        var others = configuration.Members.Where(member => member != calls.Self).ToArray();
        var question = new ReplicaRequest.GetConfiguration(header.Tile);
        var answers = await Task.WhenAll(
            others.Select(node => calls.AskAsync(node, question, AnswerMax, cancellation)));
        var standings = answers.Select(answer => answer as ReplicaReply.Standing).ToArray();
        if (standings.Any(standing => standing is not null && standing.Newest.IsNewerThan(configuration)))
            return $"tile {header.Tile}: a change of its members is under way";
        var complete = standings.Count(standing =>
            standing is { Phase: TilePhase.Active } && standing.Newest == configuration);
        if (complete >= configuration.Majority)
            return null;
        var missing = others.Where((_, i) => standings[i] is not { Phase: TilePhase.Active }).Select(Name);
        return $"tile {header.Tile}: {configuration.Majority} complete copies are needed without this node, {complete} "
            + $"answer (missing: {string.Join(' ', missing.DefaultIfEmpty("more members"))})";
    }

    private string Name(NodeId node) => ring.Now.Find(node)?.Name ?? node.ShortForm;
}
