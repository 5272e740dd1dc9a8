using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>All registers on which a learner's sources contradict each other, until they are settled.</summary>
/// <remarks>docs/protocol.md#contested-registers. A source that names many is not asked on before most of them are
/// settled, so they are bounded whoever lies.</remarks>
/// <param name="sources">Who may know something.</param>
/// <param name="voters">Those of the epoch before, this node too if its row counts.</param>
/// <param name="awaited">Those of them that may still answer: there is no end without them before the time is
/// over.</param>
/// <param name="majority">Of the voters; 0: no majority counts, since some are known to be lost.</param>
internal sealed class Contests(
    NodeId self, TileEpoch at, ImmutableArray<NodeId> sources, IReadOnlySet<NodeId> voters,
    ImmutableArray<NodeId> awaited, int majority, TimeSpan patience, Action<NodeId, ReplicaRequest> send)
{
    /// <summary>So many are heard at a time.</summary>
    private const int AtOnceMax = 16;

    /// <summary>One that names so many, or so many bytes, is not asked on.</summary>
    private const int NamedMax = 64;
    private const int NamedBytesMax = 256 << 10;

    /// <summary>Asked again at a time.</summary>
    private const int AgainMax = 64;

    private readonly SortedDictionary<string, Contest> _open = new(StringComparer.Ordinal);
    private readonly Queue<Contest> _unasked = [];
    private readonly Dictionary<ReplicaRequest, Contest> _asked = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ReplicaRequest, Contest> _settling = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<NodeId, (int Count, long Bytes)> _named = [];

    /// <summary>Those that did not answer in time: no contest keeps its place for them.</summary>
    private readonly HashSet<NodeId> _silent = [];
    private readonly HashSet<Contest> _places = [];
    private readonly Dictionary<NodeId, TimeSpan> _waitedFor = [];
    private int _rings;

    public int Count => _open.Count;

    /// <summary>Whether a source has named so many that it must wait.</summary>
    public bool IsFullOf(NodeId source) =>
        _named.GetValueOrDefault(source) is { Count: >= NamedMax } or { Bytes: >= NamedBytesMax };

    /// <summary>What the own replica did not unite of a page.</summary>
    public void Note(NodeId source, ImmutableArray<ContestedRegister> registers)
    {
        foreach (var (own, copy, beside) in registers)
        {
            if (beside is not null && Open(beside, null).NameBeside(source))
                Tally(source, 1, 0);
            if (Open(copy.Key, beside).Name(self, own, source, copy))
                Tally(source, 1, copy.Value.Length);
        }

        Begin();
    }

    private Contest Open(string key, string? beside)
    {
        if (_open.TryGetValue(key, out var contest))
            return contest;
        _open[key] = contest = new(key, beside);
        _unasked.Enqueue(contest);
        return contest;
    }

    private void Tally(NodeId source, int more, long moreBytes)
    {
        var (count, bytes) = _named.GetValueOrDefault(source);
        _named[source] = (count + more, bytes + moreBytes);
    }

    /// <summary>What nobody has named whose rows are needed makes no difference.</summary>
    public void KeepOnlyOf(IEnumerable<NodeId> needed)
    {
        var nodes = needed.ToList();
        foreach (var contest in _open.Values.Where(contest => !nodes.Exists(contest.Named.ContainsKey))
            .OrderBy(contest => contest.Beside is null).ToList()) // What is judged by another goes before it.
            Remove(contest);
        Begin();
    }

    public bool IsQuestion(ReplicaRequest request) => _asked.ContainsKey(request);

    public bool IsSettling(ReplicaRequest request) => _settling.ContainsKey(request);

    /// <param name="reply">Null: none will come.</param>
    public void Hear(NodeId from, ReplicaRequest request, ReplicaReply? reply)
    {
        var contest = _asked[request];
        contest.Hear(from, reply);
        if (reply is ReplicaReply.Pulled)
            _silent.Remove(from);
        SettleIfHeard(contest);
        Begin();
    }

    /// <returns>False when the epoch has passed.</returns>
    public bool Settled(ReplicaRequest request, ReplicaReply reply)
    {
        _settling.Remove(request, out var contest);
        contest!.GoOn();
        if (reply is ReplicaReply.Done)
            Remove(contest);
        else if (reply is ReplicaReply.Contested)
            SettleIfHeard(contest);
        else
            return false;
        Begin();
        return true;
    }

    /// <summary>The learner's timer has rung.</summary>
    /// <param name="passed">Since it was set.</param>
    /// <param name="isWaitedFor">Whether the learner cannot go on before some are settled.</param>
    /// <returns>Whether members are given time, so that nothing is wrong although nothing happens.</returns>
    public bool Ring(TimeSpan passed, bool isWaitedFor)
    {
        _rings++;
        if (isWaitedFor)
            WaitFor([.. _open.Values.SelectMany(Late)], passed);
        foreach (var contest in _places.Where(contest => contest.Waiting.Count > 0).ToList())
            if (!contest.HasRung)
                contest.HasRung = true;
            else
            {
                _silent.UnionWith(contest.Waiting);
                contest.Waiting.Clear();
                SettleIfHeard(contest);
            }

        var open = _open.Values.Where(contest => contest.Asked is not null && !_places.Contains(contest))
            .OrderBy(contest => contest.DueAt).Take(AgainMax).ToList();
        foreach (var contest in open)
        {
            Ask(contest, awaited.Where(node => !contest.HasHeard(node)));
            contest.DueAt = _rings + 1;
        }

        Begin();
        return open.Count > 0 || _places.Count > _settling.Count;
    }

    /// <summary>Counts for each of these that a whole interval of the timer has gone by without an answer.</summary>
    private void WaitFor(HashSet<NodeId> missing, TimeSpan passed)
    {
        var given = _waitedFor.Values.Count(waited => waited >= patience);
        foreach (var node in missing)
            _waitedFor[node] = _waitedFor.GetValueOrDefault(node) + passed;
        if (_waitedFor.Values.Count(waited => waited >= patience) == given)
            return;
        foreach (var contest in _open.Values.Where(contest => contest.Asked is not null).ToList())
        {
            contest.Waiting.RemoveWhere(IsGivenUp);
            SettleIfHeard(contest);
        }
    }

    /// <summary>Those that have not answered though they were asked before the ring before this one. One that has said
    /// that it cannot now is late only once: it is perhaps not asked again at once.</summary>
    private IEnumerable<NodeId> Late(Contest contest) =>
        contest.Asked is null || contest.DueAt > _rings ? []
        : contest.DueAt < _rings ? contest.Waiting
        : awaited.Union(contest.Waiting).Where(node => !contest.HasHeard(node));

    /// <summary>It has had its time in this learner: for what it has not said yet nobody waits.</summary>
    private bool IsGivenUp(NodeId node) => _waitedFor.GetValueOrDefault(node) >= patience;

    private void Begin()
    {
        while (_places.Count < AtOnceMax && _unasked.TryDequeue(out var contest))
            if (_open.GetValueOrDefault(contest.Key) == contest)
                Ask(contest, sources);
    }

    private void Ask(Contest contest, IEnumerable<NodeId> nodes)
    {
        var asked = nodes.ToList();
        var question = contest.Ask(at, asked.Where(node => !_silent.Contains(node) && !IsGivenUp(node)));
        (_asked[question], contest.DueAt) = (contest, _rings + 2);
        foreach (var node in asked)
            send(node, question);
        SettleIfHeard(contest);
    }

    /// <summary>One that is judged by another waits until that is settled. A majority that agrees is enough. Without
    /// one nothing is settled before everybody who votes and may still answer has done so, or the time is
    /// over.</summary>
    private void SettleIfHeard(Contest contest)
    {
        var isHeard = contest.Waiting.Count == 0;
        var waits = contest.Beside is { } beside && _open.ContainsKey(beside);
        if (contest.Settling is null && !waits && (isHeard || contest.IsAgreed(voters.Contains, majority)))
        {
            var isFinal = isHeard && (majority == 0 || awaited.All(node => contest.HasHeard(node) || IsGivenUp(node)));
            if (isFinal || !contest.WasTried)
            {
                var settle = contest.Settle(at, self, voters.Contains, majority, isFinal);
                _settling[settle] = contest;
                send(self, settle);
            }
        }

        if (contest.Settling is not null || contest.Waiting.Count > 0)
            _places.Add(contest);
        else
            _places.Remove(contest);
    }

    private void Remove(Contest contest)
    {
        _open.Remove(contest.Key);
        _places.Remove(contest);
        if (contest.Asked is { } asked)
            _asked.Remove(asked);
        if (contest.Settling is { } settling)
            _settling.Remove(settling);
        foreach (var (source, bytes) in contest.Named)
            Tally(source, -1, -bytes);
        foreach (var judged in _open.Values.Where(other => other.Beside == contest.Key).ToList())
            if (judged.Asked is not null)
                SettleIfHeard(judged);
    }
}
