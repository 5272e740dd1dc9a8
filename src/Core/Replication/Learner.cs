using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Collects the state that an epoch starts with, page by page, and then lets this node's replica
/// answer.</summary>
/// <remarks>
/// docs/protocol.md#transfer. The state is complete when it holds everything of (i) a majority of the sealed members of
/// the epoch before, this node counting if it is one, or (ii) one member that is complete already. It asks as few as
/// needed first, and everybody once time is lost. A node that is a sealed member says what it has, and gets the
/// rest. In a generation that an order began (docs/protocol.md#generations) the epoch before is that of the survivors,
/// and all of them are needed.
/// </remarks>
public sealed class Learner : Coordinator
{
    private readonly NodeId _self;
    private readonly TileConfiguration? _previous;
    private readonly TileConfiguration? _ended;
    private readonly int _sealedNeeded;
    private readonly Source[] _sources;
    private readonly Dictionary<ReplicaRequest, Source> _absorbing = new(ReferenceEqualityComparer.Instance);
    private readonly List<Source> _resting = [];
    private readonly SortedDictionary<string, Contest> _contests = new(StringComparer.Ordinal);

    /// <summary>Those that did not answer one contest in time: no further one waits for them.</summary>
    private readonly HashSet<NodeId> _silent = [];
    private TimeSpan _rest;
    private ReplicaRequest.Sums? _summing;
    private ImmutableArray<UInt128> _own;
    private ReplicaRequest.Activate? _activating;
    private Source? _last;
    private Contest? _contest;
    private bool _progress;

    /// <summary>A round has brought nothing: what one complete member says has to do.</summary>
    private bool _isLate;

    /// <param name="header">Learning, or sealed with a pending configuration that this node belongs to.</param>
    public Learner(NodeId self, TileHeader header, CoordinatorOptions options, ulong seed)
        : this(self, header, options, seed, ReplicaRules.Protocol) { }

    internal Learner(NodeId self, TileHeader header, CoordinatorOptions options, ulong seed, ReplicaRules rules)
        : base(header.Newest, options, seed)
    {
        _self = self;
        _previous = header.BeforeNewest;
        IsNewcomer = header.Phase != TilePhase.Sealed;
        _ended = IsNewcomer ? null : header.Configuration;
        var own = IsNewcomer ? 0 : 1; // Otherwise this node's rows are those of a sealed member.
        _sealedNeeded = _previous switch
        {
            null => int.MaxValue,
            _ when Configuration.IsOrdered(_previous) => _previous.Members.Length - own,
            _ => (rules.LearnersAskMajority ? _previous.Majority : 1) - own,
        };
        var nodes = _previous is null ? Configuration.Members : [.. _previous.Members.Union(Configuration.Members)];
        _sources = [.. nodes.Where(node => node != self).Select(node => new Source(node))];
    }

    /// <summary>Whether this node starts empty instead of from the epoch before.</summary>
    internal bool IsNewcomer { get; }

    /// <summary>What came of it; null until that is known.</summary>
    public LearnerOutcome? Outcome { get; private set; }

    private protected override NodeId? Self => _self;

    private protected override void Begin()
    {
        SetTimer(Options.RoundTimeout);
        if (_ended is null || _previous is null)
            AskFirst();
        else
            Summarize(_ended, default);
    }

    /// <param name="ended">The one that this node's rows are of. A survivor may be further than its order says.</param>
    private void Summarize(TileConfiguration ended, TileCursor after)
    {
        _summing = new ReplicaRequest.Sums(ended.At, after);
        Send(_self, _summing);
    }

    private void OnSums(ReplicaReply reply)
    {
        (_summing, _progress) = (null, true);
        if (reply is ReplicaReply.Summed { Sums: null } more)
        {
            Summarize(_ended!, more.Next);
            return;
        }

        if (reply is ReplicaReply.Summed { Sums: { } sums })
            _own = sums;
        AskFirst();
    }

    private void AskFirst()
    {
        var first = _previous is null ? _sources.Length : Math.Min(_sealedNeeded, _sources.Length);
        for (var i = 0; i < first; i++)
            Restart(_sources[i]);
        ActivateWhenComplete();
    }

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (ReferenceEquals(request, _summing))
            OnSums(reply);
        else if (ReferenceEquals(request, _activating))
            OnActivated(reply);
        else if (_contest is { } contest && ReferenceEquals(request, contest.Settling))
            OnSettled(reply);
        else if (_contest is { } open && ReferenceEquals(request, open.Asked))
            OnHeard(open, from, reply);
        else if (_absorbing.Remove(request, out var source))
            OnAbsorbed(source, reply);
        else if (FindSource(from, request) is { } asked)
            OnPage(asked, reply);
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (_contest is { } open && ReferenceEquals(request, open.Asked))
            OnHeard(open, from, null);
        else if (FindSource(from, request) is { } asked)
            Fail(asked);
    }

    private Source? FindSource(NodeId from, ReplicaRequest request) =>
        Array.Find(_sources, source => source.Node == from && ReferenceEquals(source.Asked, request));

    private protected override void OnTimer()
    {
        if (_contest is { } open)
        {
            OnContestTimer(open);
            return;
        }

        if (_resting.Count > 0)
        {
            GoOn();
            return;
        }

        if (!_progress && !_isLate)
        {
            _isLate = true;
            ActivateWhenComplete();
            if (_contest is not null)
                return;
        }

        if (!_progress && !MayTryAgain())
        {
            End(new LearnerOutcome.Stalled());
            return;
        }

        if (!_progress && _summing is null)
            foreach (var source in _sources)
                if (source.Asked is { } asked)
                    Send(source.Node, asked);
                else if (!source.Finished && !_absorbing.ContainsValue(source))
                    Restart(source);
        _progress = false;
        SetTimer(Options.RoundTimeout);
    }

    /// <summary>Every source that answers "stale" knows a newer epoch: this one need not be learned any more.</summary>
    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        Send(_self, new ReplicaRequest.NewConfiguration(newest, previous));
        End(new LearnerOutcome.Superseded());
    }

    private void Restart(Source source)
    {
        (source.Complete, source.Finished) = (true, false);
        Pull(source, default);
    }

    private void Pull(Source source, TileCursor after)
    {
        source.Asked = new ReplicaRequest.Pull(Configuration.At, after, Options.PullBytesMax, _own);
        Send(source.Node, source.Asked);
    }

    private void OnPage(Source source, ReplicaReply reply)
    {
        if (reply is not ReplicaReply.Pulled pulled)
        {
            if (reply is ReplicaReply.Behind or ReplicaReply.WrongTile)
                Send(source.Node, new ReplicaRequest.NewConfiguration(Configuration, _previous));
            Fail(source);
            return;
        }

        // One page from the time before it was complete makes the whole copy that of a sealed member.
        source.Complete &= pulled.Complete;
        (source.Asked, source.Next, _progress) = (null, pulled.Page.Next, true);
        if (source.Next is null && _contests.Count == 0 && IsCompleteWith(source))
        {
            // One commit for both: the tile may be waiting for it.
            _last = source;
            Activate(pulled.Page);
            return;
        }

        _rest += IsNewcomer
            ? TimeSpan.FromSeconds((double)pulled.Page.Bytes / Options.CopyBytesPerSecond)
            : TimeSpan.Zero;
        var absorb = new ReplicaRequest.Absorb(Configuration.At, pulled.Page);
        _absorbing.Add(absorb, source);
        Send(_self, absorb);
    }

    private void OnAbsorbed(Source source, ReplicaReply reply)
    {
        if (reply is not (ReplicaReply.Done or ReplicaReply.Contested))
        {
            End(new LearnerOutcome.Superseded());
            return;
        }

        _progress = true;
        Note(source, reply);
        if (source.Next is { } next)
        {
            if (_rest <= TimeSpan.Zero)
                Pull(source, next);
            else
                Rest(source);
            return;
        }

        source.Finished = true;
        ActivateWhenComplete();
    }

    /// <summary>A newcomer does not take more than its share of wire and disk: the tile works without it.</summary>
    private void Rest(Source source)
    {
        _resting.Add(source);
        SetTimer(_rest);
    }

    private void GoOn()
    {
        (_rest, _progress) = (TimeSpan.Zero, true);
        foreach (var source in _resting)
            if (source.Next is { } next)
                Pull(source, next);
        _resting.Clear();
        SetTimer(Options.RoundTimeout);
    }

    private void ActivateWhenComplete()
    {
        if (_contest is not null || !IsCompleteWith(null))
            return;
        if (_contests.Count == 0)
            Activate(null);
        else
            Hear(_contests.First().Value);
    }

    /// <summary>A sealed member counts once. A complete one is enough, but for a newcomer only when time was lost:
    /// what it is given by one alone nobody else has confirmed.</summary>
    private bool IsCompleteWith(Source? last)
    {
        var finished = _sources.Where(source => source.Finished || source == last).ToList();
        return finished.Count(source => _previous is not null && _previous.Contains(source.Node)) >= _sealedNeeded
            || (finished.Any(source => source.Complete)
                && (_isLate || !IsNewcomer || finished.Count >= Math.Min(2, _sources.Length)));
    }

    private void OnActivated(ReplicaReply reply)
    {
        if (reply is not ReplicaReply.Contested)
        {
            End(reply is ReplicaReply.Done ? new LearnerOutcome.Activated() : new LearnerOutcome.Superseded());
            return;
        }

        Note(_last!, reply);
        (_activating, _last!.Finished) = (null, true);
        ActivateWhenComplete();
    }

    private void Note(Source source, ReplicaReply reply)
    {
        if (reply is not ReplicaReply.Contested { Registers: var registers })
            return;
        foreach (var (own, copy) in registers)
        {
            if (!_contests.TryGetValue(copy.Key, out var contest))
                _contests[copy.Key] = contest = new(copy.Key);
            contest.Hear(_self, own);
            contest.Hear(source.Node, copy);
        }
    }

    /// <summary>Asks everybody who may know what they hold of a contested register.</summary>
    private void Hear(Contest contest)
    {
        _contest = contest;
        var nodes = _sources.Select(source => source.Node);
        var ask = contest.Ask(Configuration.At, nodes.Where(node => !_silent.Contains(node)));
        foreach (var node in nodes)
            Send(node, ask);
        SetTimer(Options.RoundTimeout);
        SettleWhenHeard(contest);
    }

    private void OnHeard(Contest contest, NodeId from, ReplicaReply? reply)
    {
        contest.Hear(from, reply);
        SettleWhenHeard(contest);
    }

    private void OnContestTimer(Contest contest)
    {
        _silent.UnionWith(contest.Waiting);
        if (contest.Settling is null)
            Settle(contest);
        else if (MayTryAgain())
            SetTimer(Options.RoundTimeout); // The disk is slow.
        else
            End(new LearnerOutcome.Stalled());
    }

    private void SettleWhenHeard(Contest contest)
    {
        if (contest.Settling is null && (contest.Waiting.Count == 0 || contest.IsAgreed(Votes, VotesNeeded)))
            Settle(contest);
    }

    private void Settle(Contest contest)
    {
        Send(_self, contest.Settle(Configuration.At, _self, Votes, VotesNeeded));
        SetTimer(Options.RoundTimeout);
    }

    /// <summary>In a generation that an order began all rows count, and no majority of them does.</summary>
    private int VotesNeeded => _previous is null || Configuration.IsOrdered(_previous) ? 0 : _previous.Majority;

    private bool Votes(NodeId node) => _previous?.Contains(node) == true && (node != _self || !IsNewcomer);

    private void OnSettled(ReplicaReply reply)
    {
        if (reply is not ReplicaReply.Done)
        {
            End(new LearnerOutcome.Superseded());
            return;
        }

        _contests.Remove(_contest!.Key); // A page absorbed meanwhile may have put another first.
        (_contest, _progress) = (null, true);
        ActivateWhenComplete();
    }

    private void Activate(TilePage? last)
    {
        if (_activating is not null)
            return;
        _activating = new ReplicaRequest.Activate(Configuration.At, last);
        Send(_self, _activating);
    }

    /// <summary>One source less: try the next that has not been asked.</summary>
    private void Fail(Source source)
    {
        source.Asked = null;
        source.Failed = true;
        if (Array.Find(_sources, other => other is { Asked: null, Finished: false, Failed: false }) is { } spare
            && !_absorbing.ContainsValue(spare))
            Restart(spare);
    }

    private void End(LearnerOutcome outcome) => (Outcome, IsDone) = (outcome, true);

    private sealed class Source(NodeId node)
    {
        public NodeId Node => node;
        public ReplicaRequest? Asked { get; set; }
        public TileCursor? Next { get; set; }
        public bool Complete { get; set; }
        public bool Finished { get; set; }
        public bool Failed { get; set; }
    }
}
