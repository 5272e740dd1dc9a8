using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Node.Tiles;

/// <summary>Asks the members of a configuration which messages of a set they have.</summary>
internal sealed class Holders(ReplicaCalls calls, ConfigurationSearch search)
{
    /// <summary>Ids in one question.</summary>
    public const int IdsMax = TombstoneCollector.IdsMax;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>For each id the members that are active in exactly this configuration and have the message, or a mark
    /// that it was acknowledged. If one says that there is a newer configuration, others are asked.</summary>
    /// <param name="ids">At most <see cref="IdsMax"/>.</param>
    public async Task<IReadOnlyList<NodeId>[]> AskAsync(
        TileConfiguration at, SetKey set, ImmutableArray<MessageId> ids, CancellationToken cancellation)
    {
        var question = new ReplicaRequest.GetAges(at.At, set.Name, ids);
        var answers = await Task.WhenAll(
            at.Members.Select(member => calls.AskAsync(member, question, Patience, cancellation)));
        if (answers.Any(answer => answer is ReplicaReply.Stale))
            await search.FindNewerAsync(set.Point, at, cancellation, asksMembers: true);
        return [.. ids.Select((_, i) => at.Members.Where((_, member) => Has(answers[member], i)).ToArray())];

        bool Has(ReplicaReply? told, int i) =>
            told is ReplicaReply.Ages { Of: var ages } && ages.Length == ids.Length && ages[i] != EntryAge.Absent;
    }

    /// <summary>The members that answer now and are active in exactly this configuration.</summary>
    public async Task<IReadOnlyList<NodeId>> AnsweringAsync(TileConfiguration at, CancellationToken cancellation)
    {
        var question = new ReplicaRequest.GetConfiguration(at.Tile);
        var standings = await Task.WhenAll(
            at.Members.Select(member => calls.AskAsync(member, question, Patience, cancellation)));
        return [.. at.Members.Where((_, member) => standings[member] is ReplicaReply.Standing
            { Phase: TilePhase.Active } standing && standing.Newest == at)];
    }
}
