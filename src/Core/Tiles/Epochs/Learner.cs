using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

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
    private readonly List<LearnerSource> _blocked = []; // Until fewer of their rows are contested.
    private readonly HashSet<NodeId> _told = [];
    private Contests _contests = null!;
    private TimeSpan _rest;
    private TimeSpan _timer;
    private ReplicaRequest.Sums? _summing;
    private ImmutableArray<UInt128> _own;
    private ReplicaRequest.Activate? _activating;
    private LearnerSource? _last;
    private bool _progress;

    /// <summary>No other one is there, or rounds have passed in vain for long: what one complete member says has to
    /// do.</summary>
    private bool _isLate;
    private TimeSpan _quiet; // All rounds together that have brought nothing.

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

    /// <summary>Whether a node is there, as far as this one knows.</summary>
    internal Func<NodeId, bool> Answers { get; init; } = static _ => true;

    /// <summary>Registers about which it has still to hear others.</summary>
    internal int ContestCount => _contests.Count;

    /// <summary>What came of it; null until that is known.</summary>
    public LearnerOutcome? Outcome { get; private set; }

    private protected override NodeId? Self => _self;

    private protected override void Begin()
    {
        _contests = MakeContests();
        Ring(Options.RoundTimeout);
        if (_ended is null || _previous is null)
            AskFirst();
        else
            Summarize(_ended, default);
    }

    /// <summary>In a generation that an order began all rows count, and no majority of them does.</summary>
    private Contests MakeContests()
    {
        var voters = _previous?.Members.Where(node => node != _self || !IsNewcomer).ToHashSet() ?? [];
        var majority = _previous is null || Configuration.IsOrdered(_previous) ? 0 : _previous.Majority;
        return new(
            _self, Configuration.At, [.. _sources.All.Select(source => source.Node)], voters,
            [.. voters.Where(node => node != _self && Answers(node))], majority, Options.ContestMax, Send);
    }

    private void Ring(TimeSpan delay) => SetTimer(_timer = delay);

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
        Ring(Options.RoundTimeout);
        ActivateWhenComplete();
    }

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (ReferenceEquals(request, _summing))
            OnSums(reply);
        else if (ReferenceEquals(request, _activating))
            OnActivated(reply);
        else if (_contests.IsSettling(request))
            OnSettled(request, reply);
        else if (_contests.IsQuestion(request))
            OnHeard(from, request, reply);
        else if (_absorbing.Remove(request, out var source))
            OnAbsorbed(source, reply);
        else if (_sources.Find(from, request) is { } asked)
            OnPage(asked, reply);
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (_contests.IsQuestion(request))
            _contests.Hear(from, request, null);
        else if (_sources.Find(from, request) is { } asked)
            Fail(asked);
    }

    private protected override void OnTimer()
    {
        _told.Clear();
        var isComplete = _contests.Count > 0 && _sources.AreEnough(null, _isLate);
        _progress |= _contests.Ring(_timer, isComplete || _blocked.Count > 0) && (isComplete || _blocked.Count > 0);
        if (isComplete)
        {
            GoOnHearing();
            return;
        }

        if (_resting.Count > 0)
        {
            GoOn();
            return;
        }

        if (!_progress)
        {
            _quiet += _timer;
            _isLate = _quiet >= Options.ContestMax || !_sources.MayBringMore(Answers);
            ActivateWhenComplete();
        }

        // To wait for a second voice is no failure.
        if (!_progress && (_isLate || !_sources.AreEnough(null, isLate: true)) && !MayTryAgain())
        {
            End(new LearnerOutcome.Stalled());
            return;
        }

        if (_summing is null && (_sources.HaveHadTime(Options.RoundTimeout) || !_progress))
            AskAll();
        _progress = false;
        Ring(Options.RoundTimeout);
    }

    /// <summary>Only contests are left.</summary>
    private void GoOnHearing()
    {
        if (!_progress && !MayTryAgain()) // The disk is slow.
            End(new LearnerOutcome.Stalled());
        _progress = false;
        Ring(Options.RoundTimeout);
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
        if (reply is not ReplicaReply.Pulled pulled || !pulled.Page.Answers(source.Asked!))
        {
            if (reply is ReplicaReply.Behind or ReplicaReply.WrongTile)
                Tell(source.Node);
            Fail(source, isFaulty: reply is ReplicaReply.Pulled);
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
            EndOrFail(source, reply);
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
            if (_contests.IsFullOf(source.Node))
                _blocked.Add(source);
            // Not after each page: what little there is to wait would keep the timer of the rounds from ringing.
            else if (_rest < Options.RoundTimeout / 4)
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
        Ring(_rest);
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
        Ring(Options.RoundTimeout);
    }

    /// <summary>What only those have named that are not needed is not settled.</summary>
    private void ActivateWhenComplete()
    {
        if (!_sources.AreEnough(null, _isLate))
            return;
        _contests.KeepOnlyOf(_sources.All.Where(source => source.Finished).Select(source => source.Node));
        if (_contests.Count == 0)
            Activate(null);
    }

    private void OnActivated(ReplicaReply reply)
    {
        var page = _activating!.Last;
        _activating = null;
        if (reply is not ReplicaReply.Contested)
        {
            EndOrFail(page is null ? null : _last, reply);
            return;
        }

        Note(_last!, reply);
        _sources.Finish(_last!);
        ActivateWhenComplete();
    }

    private void Note(LearnerSource source, ReplicaReply reply)
    {
        if (reply is ReplicaReply.Contested { Registers: var registers })
            _contests.Note(source.Node, registers);
    }

    private void OnHeard(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (reply is ReplicaReply.Behind && _told.Add(from))
            Tell(from);
        _contests.Hear(from, request, reply);
    }

    private void OnSettled(ReplicaRequest request, ReplicaReply reply)
    {
        if (!_contests.Settled(request, reply))
        {
            EndOrFail(null, reply);
            return;
        }

        _progress = true;
        foreach (var source in _blocked.Where(source => !_contests.IsFullOf(source.Node)).ToList())
        {
            _blocked.Remove(source);
            if (source.Next is { } next)
                Pull(source, next);
        }

        ActivateWhenComplete();
    }

    /// <summary>It has not heard of this configuration.</summary>
    private void Tell(NodeId node) => Send(node, new ReplicaRequest.NewConfiguration(Configuration, _previous));

    private void Activate(TilePage? last)
    {
        if (_activating is not null)
            return;
        _activating = new ReplicaRequest.Activate(Configuration.At, last);
        Send(_self, _activating);
    }

    /// <summary>Unless the own replica only stumbled over a page: docs/protocol.md#faults-of-one-request.</summary>
    private void EndOrFail(LearnerSource? source, ReplicaReply reply)
    {
        if (reply is ReplicaReply.TooMany && source is not null)
            Fail(source, isFaulty: true);
        else
            End(LearnerOutcome.After(reply));
    }

    /// <summary>One source less: try the next that has not been asked.</summary>
    private void Fail(LearnerSource source, bool isFaulty = false)
    {
        (source.Asked, source.Failed, source.IsHeld) = (null, true, false);
        source.IsFaulty |= isFaulty;
        if (_sources.Spare is { } spare)
            Restart(spare);
    }

    private void End(LearnerOutcome outcome) => (Outcome, IsDone) = (outcome, true);
}
