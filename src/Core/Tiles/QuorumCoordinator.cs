using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Registers;

namespace ChordChat.Core.Tiles;

/// <summary>A coordinator that asks all members the same thing in rounds and waits for a majority in each.</summary>
public abstract class QuorumCoordinator<TOutcome> : Coordinator
    where TOutcome : class
{
    private readonly Refusals _refusals = new();
    private ReplicaRequest? _asked;
    private MemberSet _for;
    private MemberSet _against;
    private MemberSet _held;
    private NodeId? _last;
    private bool _settled;
    private bool _waiting;

    private protected QuorumCoordinator(TileConfiguration configuration, CoordinatorOptions options, ulong seed)
        : base(configuration, options, seed) { }

    /// <summary>What came of it; null until that is known.</summary>
    public TOutcome? Outcome { get; private set; }

    /// <summary>How many members have answered anything at all in the round that went furthest.</summary>
    private protected int Reached { get; private set; }

    private protected MemberSet For => _for;

    /// <summary>Whether nobody is left who could still answer in this round.</summary>
    private protected bool AllHaveAnswered =>
        _for.Count + _against.Count + _held.Count == Configuration.Members.Length;

    private protected enum Vote
    {
        For,
        Against,

        /// <summary>Neither, unless <see cref="Release"/> turns it into a vote for.</summary>
        Held,
    }

    /// <summary>Counts one member's reply. Called once per member and round, also after a majority was found.</summary>
    private protected abstract Vote Judge(int member, ReplicaReply reply);

    private protected abstract void OnMajority();

    /// <summary>The last round has failed: state the outcome.</summary>
    private protected abstract void GiveUp();

    /// <summary>Too many members have said no for a majority to be possible.</summary>
    private protected virtual void OnMinority() => Retry();

    /// <summary>A vote that came after the majority, or the news that none will come.</summary>
    private protected virtual void OnLate() { }

    /// <summary>An answer of a member to an earlier round; what it says of the disk is true all the same.</summary>
    private protected virtual void OnStray(int member, ReplicaRequest request, ReplicaReply reply) { }

    /// <summary>An answer of somebody who is no member; null when none will come.</summary>
    private protected virtual void OnOther(NodeId from, ReplicaRequest request, ReplicaReply? reply) { }

    /// <summary>The timer of a round that has already found its majority.</summary>
    private protected virtual void OnLateTimer() { }

    /// <param name="last">A member that is asked only when no other one is missing for a majority.</param>
    private protected void Ask(ReplicaRequest request, NodeId? last = null)
    {
        (_asked, _for, _against, _held) = (request, default, default, default);
        (_settled, _waiting) = (false, false);
        _last = last is { } node && Configuration.Contains(node) ? last : null;
        _refusals.Clear();
        foreach (var member in Configuration.Members)
            if (member != _last)
                Send(member, request);
        AskLast();
        SetTimer(Options.RoundTimeout);
    }

    private void AskLast()
    {
        if (_last is not { } node || _for.Count + _held.Count < Majority - 1)
            return;
        _last = null;
        Send(node, _asked!);
    }

    /// <summary>Asks those that have not said yes in this round once more.</summary>
    private protected void AskMissing()
    {
        _against = default;
        for (var member = 0; member < Configuration.Members.Length; member++)
            if (!_for.Contains(member))
                Send(Configuration.Members[member], _asked!);
        SetTimer(Options.RoundTimeout);
    }

    /// <summary>From now on a member's reply that was held back counts as a vote for.</summary>
    private protected void Release(int member)
    {
        _held.Remove(member);
        _for.Add(member);
    }

    private protected void State(TOutcome outcome, bool done = true) => (Outcome, IsDone) = (outcome, done);

    /// <summary>A member refused a ballot.</summary>
    /// <param name="mayBeFar">Whether it may have been too far above what the member had.</param>
    private protected void Refused(int member, Ballot asked, Ballot highest, bool mayBeFar)
    {
        _refusals.Add(asked, highest);
        if (mayBeFar)
            _refusals.AddNearer(Configuration.Members[member], asked, highest);
    }

    /// <summary>What a ballot must beat after this one has come to nothing.</summary>
    private protected Ballot FloorAfter(Ballot asked)
    {
        var spare = Configuration.Members.Length - Majority;
        var unasked = _last is null ? 0 : 1;
        var silent = Configuration.Members.Length - _for.Count - _held.Count - unasked;
        return _refusals.Floor(asked, _against.Count > spare ? _against.Count : silent, spare);
    }

    /// <summary>This round came to nothing: begin again after a while, or give up. At once where it brought copies
    /// nearer to each other: docs/protocol.md#rounds-apart.</summary>
    private protected void Retry()
    {
        if (_refusals.IsFree())
        {
            Begin();
            return;
        }

        if (!MayTryAgain())
        {
            GiveUp();
            return;
        }

        (_asked, _waiting, _settled) = (null, true, false);
        SetTimer(Backoff());
    }

    /// <summary>What a majority has agreed is carried over by the epoch change; only the open goes on there.</summary>
    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        if (Outcome is null)
            base.Meet(newest, previous);
        else
            IsDone = true;
    }

    private protected sealed override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (!IsOpen(from, request, out var member))
        {
            if (member >= 0)
                OnStray(member, request, reply);
            else
                OnOther(from, request, reply);
            return;
        }

        switch (Judge(member, reply))
        {
            case Vote.For:
                _for.Add(member);
                break;
            case Vote.Held:
                _held.Add(member);
                break;
            default:
                _against.Add(member);
                break;
        }

        Reached = Math.Max(Reached, _for.Count + _against.Count + _held.Count);
        AskLast();
        if (_settled)
            OnLate();
        else
            Count();
    }

    private protected sealed override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (!IsOpen(from, request, out var member))
        {
            if (member < 0)
                OnOther(from, request, null);
            return;
        }

        _against.Add(member);
        if (_settled)
            OnLate();
        else
            Count();
    }

    private protected sealed override void OnTimer()
    {
        if (_settled)
            OnLateTimer();
        else if (_waiting || _refusals.IsFree() || MayTryAgain())
            Begin();
        else
            GiveUp();
    }

    private bool IsOpen(NodeId from, ReplicaRequest request, out int member)
    {
        member = Configuration.Members.IndexOf(from);
        return ReferenceEquals(request, _asked) && member >= 0
            && !_for.Contains(member) && !_against.Contains(member) && !_held.Contains(member);
    }

    private void Count()
    {
        if (_for.Count >= Majority)
        {
            _settled = true;
            OnMajority();
        }
        else if (_against.Count > Configuration.Members.Length - Majority || AllHaveAnswered)
            OnMinority();
    }
}
