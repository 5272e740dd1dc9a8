using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>Those that a learner may ask, what they have sent, and how long it has waited for them.</summary>
/// <param name="sealedNeeded">So many members of <paramref name="previous"/> must have sent everything.</param>
internal sealed class LearnerSources(
    IEnumerable<NodeId> nodes, TileConfiguration? previous, int sealedNeeded, bool isNewcomer,
    CoordinatorOptions options)
{
    private TimeSpan _lost; // Since one of them has sent everything, or more were asked.
    private int _widenings;

    public IReadOnlyList<LearnerSource> All { get; } = [.. nodes.Select(node => new LearnerSource(node))];

    /// <summary>Those to begin with: as few as are needed.</summary>
    public IEnumerable<LearnerSource> First => previous is null ? All : All.Take(sealedNeeded);

    /// <summary>Not asked yet and, as far as is known, there.</summary>
    public LearnerSource? Spare => All.FirstOrDefault(source => source is { IsIdle: true, Failed: false });

    public LearnerSource? Find(NodeId from, ReplicaRequest request) =>
        All.FirstOrDefault(source => source.Node == from && ReferenceEquals(source.Asked, request));

    /// <summary>A sealed member counts once. A complete one is enough, but for a newcomer only when time was lost:
    /// what it is given by one alone nobody else has confirmed.</summary>
    /// <param name="last">Its last page is here.</param>
    public bool AreEnough(LearnerSource? last, bool isLate)
    {
        var finished = All.Where(source => source.Finished || source == last).ToList();
        return finished.Count(source => previous is not null && previous.Contains(source.Node)) >= sealedNeeded
            || (finished.Any(source => source.Complete)
                && (isLate || !isNewcomer || finished.Count >= Math.Min(2, All.Count)));
    }

    /// <summary>Whether one that has rows of the epoch before, and has not sent everything, may still do so. Other
    /// newcomers have none.</summary>
    public bool MayBringMore(Func<NodeId, bool> answers) => All.Any(source =>
        source is { Finished: false, IsFaulty: false } && previous?.Contains(source.Node) != false
        && answers(source.Node));

    public void Finish(LearnerSource source) => (source.IsHeld, source.Finished, _lost) = (false, true, TimeSpan.Zero);

    /// <summary>Whether those asked have had their time, so that the others are asked too. A newcomer keeps nobody
    /// waiting, so it loads the others later.</summary>
    public bool HaveHadTime(TimeSpan more)
    {
        var patience = !isNewcomer ? options.RoundTimeout
            : (All.Any(source => source.Finished) ? options.LastSourceMax : options.FirstSourceMax)
                * (1 << Math.Min(_widenings, 10));
        if ((_lost += more) < patience)
            return false;
        (_lost, _widenings) = (TimeSpan.Zero, _widenings + 1);
        return true;
    }
}
