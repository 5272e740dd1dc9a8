using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>When the stewards of a tile act.</summary>
public sealed record StewardOptions
{
    public static readonly StewardOptions Default = new();

    /// <summary>The i-th living member waits i times this longer, so that two rarely start at once.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a member must be unwanted before it is replaced: who hears that one node leaves should hear
    /// first that they all do.</summary>
    public TimeSpan UnwantedFor { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a tile may stay sealed without a decision before a member takes over.</summary>
    public TimeSpan SealedMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the preferred members must stay the same before a tile whose members all live is
    /// moved.</summary>
    public TimeSpan PreferredFor { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the next planned change waits for the newcomers of the last.</summary>
    public TimeSpan StepMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a leaver keeps its rows, and the next change waits, for members that are there and do not
    /// become active.</summary>
    public TimeSpan LearningMax { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>One that has answered none of this node's announcements for so long is not there, whichever epochs have
    /// begun and ended meanwhile.</summary>
    public TimeSpan SilentMax { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How long a member must have been saying that the epoch has ended, unconfirmed, before this node ends it
    /// itself.</summary>
    public TimeSpan DoubtMin { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Wait between two rounds of telling members what they have missed.</summary>
    public TimeSpan AnnounceEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Wait between two questions to the other members whether the epoch is still the newest.</summary>
    public TimeSpan AuditEvery { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Tiles that a node may copy at once as a newcomer: more would only share the same disk and wire.
    /// Members of the epoch before are not held up, since their tile waits for them.</summary>
    public int NewcomersMax { get; init; } = 2;

    /// <summary>Tiles whose epoch one node changes at once; the others wait their turn, and work meanwhile: a tile
    /// pauses for some commits, which take longer the more go on beside.</summary>
    public int ChangesMax { get; init; } = 1;

    /// <summary>The shortest time between two changes that one node begins: at most 10 a second.</summary>
    public TimeSpan ChangeGap { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long after its own pause a node begins no change; until then it asks what it has missed.</summary>
    public TimeSpan QuietAfterPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The shortest time between two tries of one node to change the same tile.</summary>
    public TimeSpan ChangeEvery { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long newcomers that others did not vote for are not proposed again; twice as long each further
    /// time.</summary>
    public TimeSpan BackoffStart { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>The longest such time, and how long a cut that others did not vote for is not proposed again.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many tiles of its size there should be for each node, or a tile is too wide and cut in two; 0: no
    /// tile is too wide.</summary>
    public int SplitPerNode { get; init; } = 16;

    /// <summary>A tile with more bytes of rows than this is cut in two; 0: no tile is too large.</summary>
    public long SplitBytes { get; init; } = 64 << 20;

    /// <summary>Everything wrong with these values, not only the first thing.</summary>
    public IEnumerable<string> Problems()
    {
        if (SplitPerNode is < 0 or > 1_024)
            yield return $"{nameof(SplitPerNode)} is {SplitPerNode}; it must be from 0 (never) to 1024.";
        if (SplitBytes is not 0 and < 1 << 20)
            yield return $"{nameof(SplitBytes)} is {SplitBytes}; it must be 0 (never) or at least 1048576 (1 MiB).";
    }

    /// <summary>Whether there are too few tiles like this one for so many nodes. docs/protocol.md#tile-split</summary>
    public bool IsTooWide(TileId tile, int nodes) => 1L << tile.Bits < (long)SplitPerNode * nodes;
}

/// <summary>What the ring suggests for a tile. Hints: they decide when a change is tried, never what it may
/// do.</summary>
/// <param name="Preferred">Owner and next K of the nodes that are alive, staying and out of quarantine.</param>
/// <param name="Unwanted">Nodes dead for placement (this node and another one saw it) or leaving (by their own word):
/// replaced as soon as can be.</param>
/// <param name="Away">Nodes that have left: they do not answer, and are replaced when they stay away.</param>
public sealed record TileOutlook(
    ImmutableArray<NodeId> Preferred, IReadOnlySet<NodeId> Unwanted, IReadOnlySet<NodeId> Away)
{
    public TileOutlook(ImmutableArray<NodeId> preferred, IReadOnlySet<NodeId> unwanted)
        : this(preferred, unwanted, ImmutableHashSet<NodeId>.Empty) { }

    /// <summary>Those of <see cref="Unwanted"/> that are about to go and still answer: they vote until then.</summary>
    public IReadOnlySet<NodeId> Leaving { get; init; } = ImmutableHashSet<NodeId>.Empty;

    /// <summary>Members that left long ago, or of which this node has heard nothing since its start, which is long
    /// ago.</summary>
    public ImmutableArray<NodeId> LongGone { get; init; } = [];

    /// <summary>Whether the tile holds too much, or is too wide for so many nodes.
    /// docs/protocol.md#tile-split</summary>
    public bool IsTooBig { get; init; }

    internal bool Counts(NodeId node) => !Unwanted.Contains(node) && !Away.Contains(node);

    internal bool Answers(NodeId node) => Counts(node) || Leaving.Contains(node);

    /// <summary>Or it has left, which it may have done to be back in a second.</summary>
    internal bool IsThere(NodeId node) =>
        !LongGone.Contains(node) && (!Unwanted.Contains(node) || Leaving.Contains(node));
}

/// <summary>What should be done about a tile now.</summary>
public abstract record StewardAction
{
    private StewardAction() { }

    public sealed record None : StewardAction;

    /// <summary>Run an <see cref="EpochChange"/> to these members.</summary>
    public sealed record Change(ImmutableArray<NodeId> Wanted) : StewardAction;

    /// <summary>Run an <see cref="EpochChange"/> that cuts the tile in two.</summary>
    public sealed record Cut : StewardAction;

    /// <summary>Run a <see cref="Learner"/>.</summary>
    public sealed record Learn : StewardAction;

    /// <summary>Run an <see cref="Announcement"/>.</summary>
    /// <param name="Complete">Those that have said before that they are complete.</param>
    /// <param name="Silent">Those that have answered nothing for long.</param>
    /// <param name="IsLate">Whoever learns has had its time.</param>
    public sealed record Announce(
        ImmutableHashSet<NodeId> Complete, ImmutableHashSet<NodeId> Silent, bool IsLate) : StewardAction;
}

/// <summary>One member's eye on one tile: what to do and when, from the header, the ring's hints and the time
/// alone.</summary>
/// <remarks>docs/protocol.md#steward. Remembers only since when things are as they are; a restart forgets that
/// safely.</remarks>
public sealed class Steward(NodeId self, StewardOptions options)
{
    private static readonly StewardAction Nothing = new StewardAction.None();
    private static readonly StewardAction Learning = new StewardAction.Learn();
    private static readonly StewardAction Cutting = new StewardAction.Cut();

    private readonly ChangeBackoff _backoff = new(options);
    private TileHeader? _seen;
    private ImmutableArray<NodeId> _preferred = [];
    private long _headerSinceMs;
    private long _preferredSinceMs;
    private long? _unwantedSinceMs;
    private readonly Dictionary<NodeId, long> _silentSinceMs = [];
    private long? _tooBigSinceMs;
    private long? _changedMs;
    private readonly HashSet<NodeId> _complete = [];
    private readonly DoublingPause _sinceDoubt = new(options);
    private (TileEpoch End, long SinceMs, bool IsOld)? _doubt;
    private long? _announcedMs;
    private long _heardMs;
    private long? _mayEndSinceMs;
    private bool _mayChange = true;

    /// <summary>What to do now. Call every half second or so, and at once when the header has changed.</summary>
    /// <param name="nowMs">Any clock that only goes forward.</param>
    /// <param name="mayChange">Whether a change may begin now; a change that has to wait is not counted as a
    /// try.</param>
    public StewardAction Decide(TileHeader header, TileOutlook outlook, long nowMs, bool mayChange = true)
    {
        Look(header, outlook, nowMs);
        _mayChange = mayChange;
        return header switch
        {
            { Phase: TilePhase.Learning } => Learning,
            { Phase: TilePhase.Sealed, Pending: { } pending } => pending.Contains(self) ? Learning : Announce(nowMs, 0),
            { Phase: TilePhase.Sealed or TilePhase.Damaged } =>
                TakeOver(header, outlook, nowMs) ?? TellOn(header, outlook, nowMs),
            { Phase: TilePhase.Active } => Tend(header, outlook, nowMs),
            _ => Nothing,
        };
    }

    /// <summary>An announcement of the newest configuration has ended.</summary>
    public void Hear(Announcement announced, long nowMs)
    {
        if (nowMs - _heardMs >= options.SilentMax.TotalMilliseconds / 2)
            _silentSinceMs.Clear(); // Nobody was asked in between.
        _heardMs = nowMs;
        foreach (var node in announced.Heard)
            _silentSinceMs.Remove(node);
        foreach (var node in announced.Unheard)
            _silentSinceMs.TryAdd(node, nowMs);
        _complete.Clear();
        _complete.UnionWith(announced.Complete);
        if (announced.MayEnd is { } mayEnd)
            _mayEndSinceMs = mayEnd ? _mayEndSinceMs ?? nowMs : null;
    }

    /// <summary>A member says that this epoch has ended, and nobody confirms it.</summary>
    public void Doubt(TileEpoch end, long nowMs) => _doubt = _doubt is { } doubt && doubt.End == end
        ? doubt with { IsOld = nowMs - doubt.SinceMs >= options.DoubtMin.TotalMilliseconds }
        : (end, nowMs, false);

    /// <summary>This process stood still: that time does not count, and what this one knew of others is old.</summary>
    public void Paused(long forMs, long nowMs)
    {
        (_headerSinceMs, _heardMs) = (_headerSinceMs + forMs, _heardMs + forMs);
        foreach (var node in _silentSinceMs.Keys.ToList())
            _silentSinceMs[node] += forMs;
        _mayEndSinceMs += forMs;
        _backoff.Paused(forMs);
        (_unwantedSinceMs, _tooBigSinceMs, _announcedMs, _preferredSinceMs) = (null, null, null, nowMs);
    }

    private void Look(TileHeader header, TileOutlook outlook, long nowMs)
    {
        if (_seen is null || _seen.Phase != header.Phase || _seen.Newest != header.Newest)
        {
            (_headerSinceMs, _announcedMs) = (nowMs, null);
            foreach (var node in _silentSinceMs.Keys.Where(node => !header.Newest.Contains(node)).ToList())
                _silentSinceMs.Remove(node);
            if (_seen?.Newest != header.Newest)
            {
                (_unwantedSinceMs, _changedMs, _mayEndSinceMs) = (null, null, null);
                _complete.Clear();
            }
        }

        if (_seen is { Previous: null } && header.Previous is not null)
            _mayEndSinceMs = null; // Only now it is known that there is something to tell.
        if (header is { Previous: null, Pending: null })
            _mayEndSinceMs ??= _seen is null ? nowMs - Grace(header) : nowMs; // The others know it by now.
        _seen = header;
        _backoff.Hear(header.Newest);
        if (!SameMembers(_preferred, outlook.Preferred))
            (_preferred, _preferredSinceMs) = (outlook.Preferred, nowMs);
        if (!header.Configuration.Members.Any(outlook.Unwanted.Contains))
            _unwantedSinceMs = null;
        else
            _unwantedSinceMs ??= nowMs;
        if (!MayCut(header, outlook))
            _tooBigSinceMs = null;
        else
            _tooBigSinceMs ??= nowMs;
    }

    private StewardAction Tend(TileHeader header, TileOutlook outlook, long nowMs)
    {
        if (_doubt is { IsOld: true } doubt && doubt.End == header.Configuration.At && !IsTooSoon(header, nowMs)
            && _sinceDoubt.IsOver(nowMs))
        {
            (_changedMs, _doubt) = (nowMs, null);
            _sinceDoubt.Begin(nowMs);
            return new StewardAction.Change(header.Configuration.Members);
        }

        var rank = Rank(header.Configuration, outlook);
        if (_unwantedSinceMs is { } unwanted && nowMs - unwanted >= options.UnwantedFor.TotalMilliseconds + Wait(rank)
            && Change(header, outlook, nowMs) is { } urgent)
            return urgent;
        // Whoever is dead cannot be told of the last change, so nobody waits for ever.
        if (nowMs - _preferredSinceMs >= options.PreferredFor.TotalMilliseconds + Wait(rank)
            && (header.Previous is null || nowMs - _headerSinceMs >= options.StepMax.TotalMilliseconds)
            && Change(header, outlook, nowMs) is { } moved)
            return moved;
        if (header.Previous is not null)
            return Announce(nowMs, rank);
        if (_tooBigSinceMs is { } big && nowMs - big >= options.PreferredFor.TotalMilliseconds + Wait(rank)
            && !IsTooSoon(header, nowMs) && MayPropose(header.Configuration, header.Configuration.Members, nowMs))
            return Cutting;

        return _announcedMs is { } last && nowMs - last < options.AuditEvery.TotalMilliseconds
            ? Nothing
            : Announced(nowMs);
    }

    /// <summary>A change was begun and not decided, or this copy is damaged: end the epoch, whoever began it.</summary>
    private StewardAction.Change? TakeOver(TileHeader header, TileOutlook outlook, long nowMs)
    {
        var rank = Rank(header.Configuration, outlook);
        if (nowMs - _headerSinceMs < options.SealedMax.TotalMilliseconds + Wait(rank)
            || (header.Phase == TilePhase.Sealed ? HasJustTried(nowMs) : IsTooSoon(header, nowMs)))
            return null;
        var members = header.Configuration.Members;
        var wanted = IsAllowed(header.Configuration, outlook.Preferred)
            ? StepTo(header.Configuration, outlook)
            : members;
        if (SameMembers(wanted, members) || !MayPropose(header.Configuration, wanted, nowMs))
            wanted = members;
        _changedMs = nowMs;
        return new StewardAction.Change(wanted);
    }

    /// <summary>Sealed, and perhaps other members have not even heard of this epoch: without them no majority ends
    /// it.</summary>
    private StewardAction TellOn(TileHeader header, TileOutlook outlook, long nowMs) =>
        header.Previous is null ? Nothing : Announce(nowMs, Rank(header.Configuration, outlook));

    private StewardAction.Change? Change(TileHeader header, TileOutlook outlook, long nowMs)
    {
        var configuration = header.Configuration;
        var reachable = configuration.Members.Count(outlook.Answers);
        if (IsTooSoon(header, nowMs) || reachable < configuration.Majority
            || SameMembers(configuration.Members, outlook.Preferred) || !IsAllowed(configuration, outlook.Preferred))
            return null;
        var wanted = StepTo(configuration, outlook);
        return MayPropose(configuration, wanted, nowMs) ? new StewardAction.Change(wanted) : null;
    }

    /// <summary>Notes the try, unless it has to wait because others refused the same.</summary>
    /// <param name="wanted">The members of now: a cut.</param>
    private bool MayPropose(TileConfiguration configuration, ImmutableArray<NodeId> wanted, long nowMs)
    {
        ImmutableArray<NodeId> newcomers = [.. wanted.Where(node => !configuration.Contains(node))];
        if (_backoff.Holds(newcomers, nowMs))
            return false;
        _changedMs = nowMs;
        _backoff.Propose(configuration, newcomers, nowMs);
        return true;
    }

    /// <summary>The preferred members, or as far towards them as a majority that has the rows already allows.</summary>
    private static ImmutableArray<NodeId> StepTo(TileConfiguration configuration, TileOutlook outlook)
    {
        var (now, preferred) = (configuration.Members, outlook.Preferred);
        if (preferred.Length != now.Length || preferred.Count(now.Contains) >= configuration.Majority)
            return preferred;
        var stay = now
            .OrderBy(node => preferred.Contains(node) ? 0 : outlook.Counts(node) ? 1 : outlook.Answers(node) ? 2 : 3)
            .Take(configuration.Majority).ToHashSet();
        var come = preferred.Where(node => !now.Contains(node)).Take(now.Length - stay.Count).ToHashSet();
        return come.Count == 0
            ? preferred
            : [.. preferred.Where(node => stay.Contains(node) || come.Contains(node)), .. stay.Except(preferred)];
    }

    /// <summary>Only a tile with which nothing else is to be done, so that the halves begin with all their members.
    /// </summary>
    private static bool MayCut(TileHeader header, TileOutlook outlook) => outlook.IsTooBig
        && header is { Phase: TilePhase.Active, Previous: null, Tile.Bits: < TileId.BitsMax }
        && header.Configuration.Members.All(outlook.Counts)
        && SameMembers(header.Configuration.Members, outlook.Preferred);

    /// <summary>A tile never shrinks by itself: fewer copies would be less safe and no more available.</summary>
    private static bool IsAllowed(TileConfiguration configuration, ImmutableArray<NodeId> wanted) =>
        wanted.Length >= configuration.Members.Length;

    private StewardAction Announce(long nowMs, int rank)
    {
        var since = _announcedMs is { } last
            ? nowMs - last - options.AnnounceEvery.TotalMilliseconds
            : nowMs - _headerSinceMs;
        return since >= Wait(rank) ? Announced(nowMs) : Nothing;
    }

    private StewardAction.Announce Announced(long nowMs)
    {
        _announcedMs = nowMs;
        return new StewardAction.Announce(
            [.. _complete],
            [.. _silentSinceMs.Where(silent => nowMs - silent.Value >= options.SilentMax.TotalMilliseconds)
                .Select(silent => silent.Key)],
            nowMs - _headerSinceMs >= options.LearningMax.TotalMilliseconds);
    }

    /// <summary>Others would refuse to end the epoch, or have refused it just now.</summary>
    private bool IsTooSoon(TileHeader header, long nowMs) => HasJustTried(nowMs)
        || _mayEndSinceMs is not { } since || nowMs - since < Grace(header);

    /// <summary>All members announce within that time, and then know what this one knows.</summary>
    private long Grace(TileHeader header) => (long)(options.AnnounceEvery + (options.Step
        * (header.Configuration.Members.Length - 1))).TotalMilliseconds;

    private bool HasJustTried(long nowMs) =>
        !_mayChange || _changedMs is { } last && nowMs - last < options.ChangeEvery.TotalMilliseconds;

    private double Wait(int rank) => rank * options.Step.TotalMilliseconds;

    /// <summary>This node's place among the members that are wanted; the first acts first, one that leaves
    /// last.</summary>
    private int Rank(TileConfiguration configuration, TileOutlook outlook) => outlook.Counts(self)
        ? configuration.Members.TakeWhile(member => member != self).Count(outlook.Counts)
        : configuration.Members.Count(outlook.Counts);

    private static bool SameMembers(ImmutableArray<NodeId> left, ImmutableArray<NodeId> right) =>
        left.Length == right.Length && left.All(right.Contains);
}
