using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Collects the state that an epoch starts with, page by page, and then lets this node's replica
/// answer.</summary>
/// <remarks>
/// docs/protocol.md#transfer. The state is complete when it holds everything of (i) a majority of the sealed members of
/// the epoch before, this node counting if it is one, or (ii) one member that is complete already. It asks as few as
/// needed first, and everybody once time is lost, however much those bring (docs/protocol.md#endless-transfer). A node
/// that is a sealed member says what it has, and gets the rest. In a generation that an order began
/// (docs/protocol.md#generations) the epoch before is that of the survivors, and all of them are needed.
/// </remarks>
public sealed class Learner : Coordinator
{
    private readonly NodeId _self;
    private readonly TileConfiguration? _previous;
    private readonly TileConfiguration? _ended;
    private readonly LearnerSources _sources;
    private readonly Dictionary<ReplicaRequest, LearnerSource> _absorbing = new(ReferenceEqualityComparer.Instance);
    private readonly List<LearnerSource> _resting = [];
    private readonly SortedDictionary<string, Contest> _contests = new(StringComparer.Ordinal);

    /// <summary>Those that did not answer one contest in time: no further one waits for them.</summary>
    private readonly HashSet<NodeId> _silent = [];
    private TimeSpan _rest;
    private ReplicaRequest.Sums? _summing;
    private ImmutableArray<UInt128> _own;
    private ReplicaRequest.Activate? _activating;
    private LearnerSource? _last;
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
        var sealedNeeded = _previous switch
        {
            null => int.MaxValue,
            _ when Configuration.IsOrdered(_previous) => _previous.Members.Length - own,
            _ => (rules.LearnersAskMajority ? _previous.Majority : 1) - own,
        };
        var nodes = _previous is null ? Configuration.Members : [.. _previous.Members.Union(Configuration.Members)];
        _sources = new(nodes.Where(node => node != self), _previous, sealedNeeded, IsNewcomer, options);
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
        foreach (var source in _sources.First)
            Restart(source);
        SetTimer(Options.RoundTimeout);
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
        else if (_sources.Find(from, request) is { } asked)
            OnPage(asked, reply);
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (_contest is { } open && ReferenceEquals(request, open.Asked))
            OnHeard(open, from, null);
        else if (_sources.Find(from, request) is { } asked)
            Fail(asked);
    }

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

        if (_summing is null && (_sources.HaveHadTime(Options.RoundTimeout) || !_progress))
            AskAll();
        _progress = false;
        SetTimer(Options.RoundTimeout);
    }

    /// <summary>A source may go on for ever: the others are asked too when it has taken too long.</summary>
    private void AskAll()
    {
        foreach (var source in _sources.All)
        {
            if (source.IsIdle)
                Restart(source);
            else if (source.Asked is { } asked && !source.HasBrought)
                Send(source.Node, asked);
            source.HasBrought = false;
        }
    }

    /// <summary>Every source that answers "stale" knows a newer epoch: this one need not be learned any more.</summary>
    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        Send(_self, new ReplicaRequest.NewConfiguration(newest, previous));
        End(new LearnerOutcome.Superseded());
    }

    private void Restart(LearnerSource source)
    {
        (source.Complete, source.Finished) = (true, false);
        Pull(source, default);
    }

    private void Pull(LearnerSource source, TileCursor after)
    {
        source.IsHeld = false;
        source.Asked = new ReplicaRequest.Pull(Configuration.At, after, Options.PullBytesMax, _own);
        Send(source.Node, source.Asked);
    }

    private void OnPage(LearnerSource source, ReplicaReply reply)
    {
        if (reply is not ReplicaReply.Pulled pulled)
        {
            if (reply is ReplicaReply.Behind or ReplicaReply.WrongTile)
                Send(source.Node, new ReplicaRequest.NewConfiguration(Configuration, _previous));
            Fail(source);
            return;
        }

        if (!pulled.Page.Answers(source.Asked!))
        {
            source.IsFaulty = true;
            Fail(source);
            return;
        }

        // One page from the time before it was complete makes the whole copy that of a sealed member.
        source.Complete &= pulled.Complete;
        (source.Asked, source.Next, source.HasBrought, _progress) = (null, pulled.Page.Next, true, true);
        if (source.Next is null && _activating is null && _contests.Count == 0 && _sources.AreEnough(source, _isLate))
        {
            // One commit for both: the tile may be waiting for it.
            (_last, source.IsHeld) = (source, true);
            Activate(pulled.Page);
            return;
        }

        _rest += IsNewcomer
            ? TimeSpan.FromSeconds((double)pulled.Page.Bytes / Options.CopyBytesPerSecond)
            : TimeSpan.Zero;
        var absorb = new ReplicaRequest.Absorb(Configuration.At, pulled.Page);
        _absorbing.Add(absorb, source);
        source.IsHeld = true;
        Send(_self, absorb);
    }

    private void OnAbsorbed(LearnerSource source, ReplicaReply reply)
    {
        if (reply is not (ReplicaReply.Done or ReplicaReply.Contested))
        {
            End(new LearnerOutcome.Superseded());
            return;
        }

        _progress = true;
        Note(source, reply);
        if (_sources.AreEnough(null, _isLate))
        {
            ActivateWhenComplete(); // What this one has still to send is not waited for.
            return;
        }

        if (source.Next is { } next)
        {
            // Not after each page: what little there is to wait would keep the timer of the rounds from ringing.
            if (_rest < Options.RoundTimeout / 4)
                Pull(source, next);
            else
                Rest(source);
            return;
        }

        _sources.Finish(source);
        ActivateWhenComplete();
    }

    /// <summary>A newcomer does not take more than its share of wire and disk: the tile works without it.</summary>
    private void Rest(LearnerSource source)
    {
        _resting.Add(source);
        SetTimer(_rest);
    }

    private void GoOn()
    {
        var rested = _rest;
        (_rest, _progress) = (TimeSpan.Zero, true);
        foreach (var source in _resting)
            if (source.Next is { } next)
                Pull(source, next);
        _resting.Clear();
        if (_sources.HaveHadTime(rested)) // What passes between two rests does not count.
            AskAll();
        SetTimer(Options.RoundTimeout);
    }

    private void ActivateWhenComplete()
    {
        if (_contest is not null || !_sources.AreEnough(null, _isLate))
            return;
        if (_contests.Count == 0)
            Activate(null);
        else
            Hear(_contests.First().Value);
    }

    private void OnActivated(ReplicaReply reply)
    {
        if (reply is not ReplicaReply.Contested)
        {
            End(reply is ReplicaReply.Done ? new LearnerOutcome.Activated() : new LearnerOutcome.Superseded());
            return;
        }

        Note(_last!, reply);
        _activating = null;
        _sources.Finish(_last!);
        ActivateWhenComplete();
    }

    private void Note(LearnerSource source, ReplicaReply reply)
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
        var nodes = _sources.All.Select(source => source.Node);
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
    private void Fail(LearnerSource source)
    {
        source.Asked = null;
        source.Failed = true;
        if (_sources.Spare is { } spare)
            Restart(spare);
    }

    private void End(LearnerOutcome outcome) => (Outcome, IsDone) = (outcome, true);
}
