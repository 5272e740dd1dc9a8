using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>What one node says of a tile that an operator asks about.</summary>
/// <param name="Header">What its replica holds; null when it never had to do with the tile.</param>
/// <param name="Known">The newest configuration that it has heard of.</param>
public sealed record TileAnswer(NodeId Node, TileHeader? Header, TileConfiguration Known)
{
    internal TileConfiguration Newest => Header is not null && Header.Newest.IsNewerThan(Known) ? Header.Newest : Known;

    /// <summary>Whether it has every row of the configuration it belongs to.</summary>
    internal bool IsComplete => Header is { Phase: TilePhase.Active or TilePhase.Sealed or TilePhase.Away };
}

/// <summary>A later epoch that cannot be while a majority answers for the one before: somebody lies, or the tile went
/// on between two answers.</summary>
/// <param name="Node">The node that names it.</param>
/// <param name="Said">What that node says is the newest.</param>
/// <param name="Sure">What a majority answers for.</param>
public sealed record ImpossibleEpoch(NodeId Node, TileConfiguration Said, TileConfiguration Sure);

/// <summary>What is left of a tile, from the answers of all nodes that answer, and the order that would begin its next
/// generation.</summary>
/// <remarks>docs/protocol.md#generations.</remarks>
public sealed class RecoveryPlan
{
    private readonly ImmutableDictionary<NodeId, TileAnswer> _answers;

    /// <param name="answers">One for each node that answered; at least one.</param>
    public RecoveryPlan(IEnumerable<TileAnswer> answers)
    {
        _answers = answers.ToImmutableDictionary(answer => answer.Node);
        var active = _answers.Values.Where(answer => answer.Header is { Phase: TilePhase.Active })
            .GroupBy(answer => answer.Header!.Configuration)
            .Where(same => same.Count(answer => same.Key.Contains(answer.Node)) >= Math.Max(2, same.Key.Majority))
            .Select(same => same.Key).ToList();
        Newest = _answers.Values.Select(answer => answer.Newest).Where(IsPossible)
            .Aggregate(active.Find(IsPossible), (one, two) => two.IsNewerThan(one) ? two : one)!;
        Gone = [.. Newest.Members.Where(member => !_answers.ContainsKey(member))];
        var source = _answers.Values.Where(answer => answer.IsComplete).Select(answer => answer.Header!.Configuration)
            .Where(IsPossible)
            .Aggregate((TileConfiguration?)null, (one, two) => two.IsNewerThan(one) ? two : one);
        Survivors = (source ?? Newest) with
        {
            Members = [.. (source?.Members ?? []).Where(member => IsCompleteIn(member, source!))],
        };

        PassedOver =
        [
            .. from answer in _answers.Values
               let said = answer.Newest
               let sure = active.Where(sure => IsBefore(sure, said)).MaxBy(sure => sure.Epoch)
               where sure is not null
               orderby answer.Node
               select new ImpossibleEpoch(answer.Node, said, sure),
        ];

        bool IsPossible(TileConfiguration said) => !active.Exists(sure => IsBefore(sure, said));

        // A majority is sealed before the next one is decided.
        static bool IsBefore(TileConfiguration sure, TileConfiguration said) =>
            sure.Generation == said.Generation && sure.Tile == said.Tile && said.IsNewerThan(sure);
    }

    /// <summary>The newest configuration that anybody has heard of, except those that cannot be because a majority
    /// still answers for the epoch before.</summary>
    public TileConfiguration Newest { get; }

    /// <summary>Members of <see cref="Newest"/> that did not answer.</summary>
    public ImmutableArray<NodeId> Gone { get; }

    /// <summary>The newest configuration that somebody is complete in, with those who are as its members; perhaps
    /// none.</summary>
    public TileConfiguration Survivors { get; }

    /// <summary>Nodes that name a later configuration than one that a majority still answers for.</summary>
    public ImmutableArray<ImpossibleEpoch> PassedOver { get; }

    /// <summary>Whether the tile works, or will by itself: then there is nothing to recover.</summary>
    public bool CanGoOn
    {
        get
        {
            var complete = Newest.Members.Count(member => IsCompleteIn(member, Newest));
            if (complete >= Newest.Majority)
                return true;
            return Newest.Members.Count(MayVoteOneDay) >= Newest.Majority && (complete > 0 || CanBeLearnt());
        }
    }

    /// <summary>The configuration that the order begins. Its epoch is above all that were heard of.</summary>
    public TileConfiguration Next(ulong generation, ImmutableArray<NodeId> members) =>
        Newest with { Generation = generation, Epoch = Newest.Epoch + 1, Members = members };

    /// <summary>It votes already, or will when it has learnt. A damaged one votes in a later epoch only, which the
    /// others have to begin without it.</summary>
    private bool MayVoteOneDay(NodeId member) => _answers.TryGetValue(member, out var answer)
        && !(answer.Header is { Phase: TilePhase.Damaged } header && header.Newest == Newest);

    private bool CanBeLearnt()
    {
        var before = _answers.Values.Select(answer => answer.Header)
            .FirstOrDefault(header => header?.Newest == Newest && header.BeforeNewest is not null)?.BeforeNewest;
        if (before is null)
            return false;
        var ordered = Newest.IsOrdered(before);
        var sources = before.Members.Count(member => _answers.TryGetValue(member, out var answer) && answer.IsComplete
            && (ordered ? answer.Header!.Configuration.Generation < Newest.Generation
                : answer.Header!.Configuration == before));
        return sources >= (ordered ? before.Members.Length : before.Majority);
    }

    private bool IsCompleteIn(NodeId node, TileConfiguration configuration) =>
        _answers.TryGetValue(node, out var answer) && answer.IsComplete
        && answer.Header!.Configuration == configuration;
}
