using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>What one node says of a tile that an operator asks about.</summary>
/// <param name="Header">What its replica holds; null when it never had to do with the tile.</param>
/// <param name="Known">The newest configuration that it has heard of.</param>
public sealed record TileAnswer(NodeId Node, TileHeader? Header, TileConfiguration Known)
{
    /// <summary>The largest that it names.</summary>
    public ulong Generation => Math.Max(Newest.Generation, Header?.Configuration.Generation ?? 0);

    /// <summary>The largest that it names, of whatever generation.</summary>
    public ulong Epoch => Math.Max(
        Known.Epoch, Header is null ? 0 : Math.Max(Header.Configuration.Epoch, Header.Newest.Epoch));

    internal TileConfiguration Newest => Header is not null && Header.Newest.IsNewerThan(Known) ? Header.Newest : Known;

    /// <summary>Whether it has every row of the configuration it belongs to.</summary>
    internal bool IsComplete => Header is { Phase: TilePhase.Active or TilePhase.Sealed or TilePhase.Away };

    /// <summary>Whether it knows of a configuration, or voted for it.</summary>
    internal bool Names(TileConfiguration configuration) => Known == configuration || (Header is not null
        && (Header.Configuration == configuration || Header.Newest == configuration
            || Header.NextAccepted == configuration));
}

/// <summary>A later epoch that cannot be if all these members truly answer for an earlier one: somebody lies, or the
/// tile went on between two answers.</summary>
/// <param name="Node">The node that names it.</param>
/// <param name="Said">What that node says is the newest.</param>
/// <param name="Earlier">What the members answer for.</param>
/// <param name="Members">Who answers for it.</param>
/// <param name="IsPassedOver">It cannot be even if one of the members lies.</param>
public sealed record DoubtfulEpoch(
    NodeId Node, TileConfiguration Said, TileConfiguration Earlier, ImmutableArray<NodeId> Members, bool IsPassedOver);

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
        var active = _answers.Values
            .Where(answer => answer.Header is { Phase: TilePhase.Active } header
                && header.Configuration == answer.Newest && answer.Newest.Contains(answer.Node))
            .GroupBy(answer => answer.Newest, answer => answer.Node)
            .Select(same => new Answering(same.Key, [.. same.Key.Members.Where(same.Contains)]))
            .Where(one => one is { Spare: >= 0, Members.Length: > 1 }).ToList(); // One alone may have made it up.
        Doubts =
        [
            .. from answer in _answers.Values
               let earlier = active.Where(one => one.IsBefore(answer.Newest)).MaxBy(one => one.Spare)
               where earlier is not null
               orderby answer.Node
               select new DoubtfulEpoch(
                   answer.Node, answer.Newest, earlier.Configuration, earlier.Members, earlier.Spare > 0),
        ];
        Newest = _answers.Values.Select(answer => answer.Newest).Where(IsPossible)
            .Aggregate((one, two) => two.IsNewerThan(one) ? two : one);
        var naming = _answers.Values.Where(answer => answer.Names(Newest)).Take(2).ToList();
        Alone = naming is [var only] && _answers.Count > 1 ? only.Node : null;
        Gone = [.. Newest.Members.Where(member => !_answers.ContainsKey(member))];
        var source = _answers.Values.Where(answer => answer.IsComplete).Select(answer => answer.Header!.Configuration)
            .Where(IsPossible)
            .Aggregate((TileConfiguration?)null, (one, two) => two.IsNewerThan(one) ? two : one);
        Survivors = (source ?? Newest) with
        {
            Members = [.. (source?.Members ?? []).Where(member => IsCompleteIn(member, source!))],
        };

        bool IsPossible(TileConfiguration said) => !active.Exists(one => one.Spare > 0 && one.IsBefore(said));
    }

    /// <summary>The newest configuration that anybody has heard of, except those that are passed over.</summary>
    public TileConfiguration Newest { get; }

    /// <summary>Members of <see cref="Newest"/> that did not answer.</summary>
    public ImmutableArray<NodeId> Gone { get; }

    /// <summary>The newest configuration that somebody is complete in, with those who are as its members; perhaps
    /// none.</summary>
    public TileConfiguration Survivors { get; }

    /// <summary>Nodes that name a later configuration than one for which too many members still answer.</summary>
    public ImmutableArray<DoubtfulEpoch> Doubts { get; }

    /// <summary>The one node that names <see cref="Newest"/> while others answer: it may have made it up.</summary>
    public NodeId? Alone { get; }

    /// <summary>Whether one liar decides which of two epochs is believed here: then nobody should act on it.</summary>
    public bool IsContested => Doubts.Any(doubt => !doubt.IsPassedOver);

    /// <summary>Whether the tile works, or will by itself: then there is nothing to recover.</summary>
    public bool CanGoOn
    {
        get
        {
            if (Alone is not null)
                return false; // The others would not believe it either.
            var complete = Newest.Members.Count(member => IsCompleteIn(member, Newest));
            if (complete >= Newest.Majority)
                return true;
            return Newest.Members.Count(MayVoteOneDay) >= Newest.Majority && (complete > 0 || CanBeLearnt());
        }
    }

    /// <summary>The highest generation that was heard of.</summary>
    public ulong Generation => _answers.Values.Max(answer => answer.Generation);

    /// <summary>The configuration that the order begins. Its epoch is above all that were heard of, of whatever
    /// generation, or rows of an older one would be in its way.</summary>
    public TileConfiguration Next(ulong generation, ImmutableArray<NodeId> members) => Newest with
    {
        Generation = generation,
        Epoch = _answers.Values.Max(answer => answer.Epoch) + 1,
        Members = members,
    };

    /// <summary>It votes already, or will when it has learnt. A damaged one votes in a later epoch only, which the
    /// others have to begin without it.</summary>
    private bool MayVoteOneDay(NodeId member) => _answers.TryGetValue(member, out var answer)
        && !(answer.Header is { Phase: TilePhase.Damaged } header && header.Newest == Newest);

    /// <summary>From the configuration that most name as the one before; one node alone may have made another one
    /// up.</summary>
    private bool CanBeLearnt()
    {
        var named = _answers.Values.Select(answer => answer.Header)
            .Where(header => header?.Newest == Newest && header.BeforeNewest is not null)
            .GroupBy(header => header!.BeforeNewest!).ToList();
        return named.Exists(same => same.Count() == named.Max(other => other.Count()) && CanBeLearntFrom(same.Key));
    }

    private bool CanBeLearntFrom(TileConfiguration before)
    {
        var ordered = Newest.IsOrdered(before);
        var sources = before.Members.Count(member => _answers.TryGetValue(member, out var answer) && answer.IsComplete
            && (ordered ? answer.Header!.Configuration.Generation < Newest.Generation
                : answer.Header!.Configuration == before));
        return sources >= (ordered ? before.Members.Length : before.Majority);
    }

    private bool IsCompleteIn(NodeId node, TileConfiguration configuration) =>
        _answers.TryGetValue(node, out var answer) && answer.IsComplete
        && answer.Header!.Configuration == configuration;

    /// <summary>Members that answer for one configuration and know of none after it.</summary>
    private sealed record Answering(TileConfiguration Configuration, ImmutableArray<NodeId> Members)
    {
        /// <summary>How many of them may lie, and still no majority can have been sealed, as it is before the next
        /// configuration is decided.</summary>
        public int Spare => Members.Length - (Configuration.Members.Length - Configuration.Majority + 1);

        public bool IsBefore(TileConfiguration said) =>
            said.Tile == Configuration.Tile && said.IsNewerThan(Configuration);
    }
}
