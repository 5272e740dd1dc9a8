using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Registers;

/// <summary>Prepare and Accept: what a change and a read of a register share.</summary>
/// <remarks>docs/protocol.md#register. Rystsov, CASPaxos: Replicated State Machines without logs (2018).</remarks>
public abstract class RegisterCoordinator<TOutcome> : QuorumCoordinator<TOutcome>
    where TOutcome : class
{
    private readonly BallotSource _ballots;
    private readonly Dictionary<Ballot, ReadOnlyMemory<byte>> _changes = [];
    private readonly IValueRules _values;
    private readonly RegisterAnswers _answers;
    private Ballot _ballot;
    private bool _changing;

    private protected RegisterCoordinator(
        TileConfiguration configuration, string key, BallotSource ballots, CoordinatorOptions options, ulong seed,
        IValueRules? values)
        : base(configuration, options, seed)
    {
        (Key, _ballots, _values) = (key, ballots, values ?? AnyValue.Rules);
        _answers = new(key, _values);
    }

    private protected enum Phase
    {
        Peeking,
        Preparing,
        Accepting,
    }

    private protected string Key { get; }

    private protected sealed override NodeId? Self => _ballots.Self;

    private protected Phase At { get; private set; }

    /// <summary>The value that is to be written.</summary>
    private protected ReadOnlyMemory<byte> Value { get; private set; }

    /// <summary>Whether a changed value was ever sent to be accepted: from then on failing is not knowing.</summary>
    private protected bool MayHaveChanged => _changes.Count > 0;

    /// <summary>The new value, or null to leave the current one. Empty counts as null: it means "never written", and
    /// a null array turns into it silently on its way through a conversion.</summary>
    private protected abstract ReadOnlyMemory<byte>? Decide(ReadOnlyMemory<byte> current);

    /// <summary>A changed value is on disk at a majority.</summary>
    private protected abstract void OnStored(ReadOnlyMemory<byte> value);

    /// <summary>The current value stays, and a majority agrees on it.</summary>
    private protected abstract void OnKept(ReadOnlyMemory<byte> value);

    private protected virtual Vote JudgePeek(int member, ReplicaReply reply) => Vote.Against;

    private protected virtual void OnPeeked() { }

    /// <summary>Whether somebody honest may have written it.</summary>
    private protected bool IsPossible(ReadOnlyMemory<byte> value) =>
        value.IsEmpty || _values.Judge(Key, default, value, null) != ValueVerdict.Malformed;

    /// <summary>What a member holds, whatever comes of the round.</summary>
    private protected virtual void OnShown(int member, Ballot accepted, ReadOnlyMemory<byte> value) { }

    private protected void Peek()
    {
        At = Phase.Peeking;
        Ask(new ReplicaRequest.Peek(Configuration.At, Key));
    }

    private protected void Prepare()
    {
        At = Phase.Preparing;
        _ballot = _ballots.Next(Configuration.Epoch, FloorAfter(_ballot));
        _answers.Clear();
        Ask(new ReplicaRequest.Prepare(Configuration.At, Key, _ballot));
    }

    private protected sealed override Vote Judge(int member, ReplicaReply reply)
    {
        if (At == Phase.Peeking)
            return JudgePeek(member, reply);
        if (reply is ReplicaReply.Nack nack)
            Refused(member, _ballot, nack.Highest, mayBeFar: At == Phase.Preparing);
        if (At == Phase.Accepting)
            return reply is ReplicaReply.Accepted ? Vote.For : Vote.Against;
        if (reply is not ReplicaReply.Promised promised)
            return Vote.Against;
        _answers.Add(promised.AcceptedBallot, promised.Value);
        OnShown(member, promised.AcceptedBallot, promised.Value);
        return Vote.For;
    }

    private protected sealed override void OnMajority()
    {
        if (At == Phase.Peeking)
            OnPeeked();
        else if (At == Phase.Preparing)
            Propose(isLast: AllHaveAnswered);
        else if (_changing)
            OnStored(Value);
        else
            OnKept(Value);
    }

    private protected sealed override void OnLate()
    {
        if (At == Phase.Preparing)
            Propose(isLast: AllHaveAnswered);
    }

    private protected sealed override void OnLateTimer()
    {
        if (At == Phase.Preparing)
            Propose(isLast: true);
    }

    /// <param name="isLast">No further answer is waited for. While the answers contradict each other, more are.</param>
    private void Propose(bool isLast)
    {
        if (_answers.Agreed(Majority) is { } agreed)
            Propose(agreed);
        else if (isLast && _answers.Newest(Majority) is { } newest)
            Propose(newest);
        else if (isLast)
            Retry();
    }

    private void Propose(RegisterAnswers.Found found)
    {
        // Our own change of an earlier round may have been accepted by some: finish it instead of deciding anew.
        _changing = _changes.TryGetValue(found.Accepted, out var own) && own.Span.SequenceEqual(found.Value.Span);
        Value = found.Value;
        if (!_changing && Decide(Value) is { IsEmpty: false } changed)
            (Value, _changing) = (changed, true);
        // Already chosen in this epoch. A copy that was left out is written to again: it refuses, and so it learns that
        // it is in dispute.
        var isChosen = found.IsOfAll && found.Accepted == found.Least && found.Accepted.Epoch == Configuration.Epoch;
        if (!_changing && (found.Accepted.IsNone || isChosen)) // What was never written has nothing to write again.
        {
            OnKept(Value);
            return;
        }

        if (_changing)
            _changes[_ballot] = Value;
        At = Phase.Accepting;
        Ask(new ReplicaRequest.Accept(Configuration.At, Key, _ballot, Value));
    }
}
