using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Sets;

/// <summary>Keeps a message at all members and states the outcome at a majority; goes on for the rest.</summary>
/// <remarks>docs/protocol.md#set. One round trip and one commit, side by side. Adding twice is adding once.</remarks>
public sealed class SetAdd(
    TileConfiguration configuration, string set, SetMessage message, CoordinatorOptions options, ulong seed)
    : QuorumCoordinator<SetAddOutcome>(configuration, options, seed)
{
    private MemberSet _kept;
    private TileConfiguration? _keptIn;
    private MemberSet _full; // Members whose newest answer in this configuration says so, whatever round it was for.
    private MemberSet _occupied;
    private bool _isBuried;
    private MemberSet _tooLate;
    private long _lateNowMs;
    private int _lateRounds;

    /// <summary>Unix milliseconds when the message was first handed in.</summary>
    public long SentMs { get; init; } = long.MaxValue;

    /// <summary>The user who sends it.</summary>
    public string From { get; init; } = "";

    /// <summary>Any message of this id counts as this one, as its tombstone does: the sender does not learn whether the
    /// first one was read.</summary>
    public bool CountsAnyOfItsId { get; init; }

    /// <summary>Whether a member holds another message of this id, or the mark that one was acknowledged.</summary>
    public bool HasOther => _occupied.Count > 0 || _isBuried;

    /// <summary>The members known to have it on disk, at the configuration of now. Grows after the outcome is
    /// known.</summary>
    public ImmutableArray<NodeId> Copies
    {
        get
        {
            var copies = ImmutableArray.CreateBuilder<NodeId>(Configuration.Members.Length);
            for (var member = 0; member < Configuration.Members.Length; member++)
                if (_kept.Contains(member))
                    copies.Add(Configuration.Members[member]);
            return copies.DrainToImmutable();
        }
    }

    public int CopyCount => _kept.Count;

    /// <summary>When a message was first handed in, by the calendar of members that called it too late. Only they
    /// judge lateness: a node that is asked and whose own calendar is behind must not turn away what is new.</summary>
    /// <param name="sentMs">The same by our calendar.</param>
    /// <param name="theirsMs">What <see cref="SetAddOutcome.TooLate"/> told.</param>
    /// <param name="oursMs">Our calendar after that was told: a delay makes the message older, never younger.</param>
    public static long ByTheirCalendar(long sentMs, long theirsMs, long oursMs) =>
        theirsMs > oursMs ? sentMs + (theirsMs - oursMs) : sentMs;

    private protected override void Begin()
    {
        if (_keptIn != Configuration)
        {
            (_kept, _keptIn) = (default, Configuration);
            (_full, _tooLate, _occupied) = (default, default, default);
        }

        Ask(new ReplicaRequest.Add(Configuration.At, set, message.Id, message.Content, SentMs, From));
    }

    /// <summary>A buried message was kept and acknowledged before: for its sender that is as good as kept.</summary>
    private protected override Vote Judge(int member, ReplicaReply reply)
    {
        Note(member, reply);
        return IsKept(reply) ? Vote.For : Vote.Against;
    }

    private bool IsKept(ReplicaReply reply) => reply is ReplicaReply.Added or ReplicaReply.Buried
        || (CountsAnyOfItsId && reply is ReplicaReply.Occupied);

    /// <summary>The round was given up before this answer came: a member that is known to be dead ends each round as
    /// soon as one other member refuses. But the message is on that disk, or that member refuses it too.</summary>
    private protected override void OnStray(int member, ReplicaRequest request, ReplicaReply reply)
    {
        if (request.At != Configuration.At)
            return;
        Note(member, reply);
        if (Outcome is null && IsAtMajority)
            State(new SetAddOutcome.Stored()); // Each answer came after its round; the repair does the rest.
    }

    private void Note(int member, ReplicaReply reply)
    {
        _full.Remove(member);
        _occupied.Remove(member);
        _tooLate.Remove(member);
        if (IsKept(reply))
            _kept.Add(member);
        _isBuried |= reply is ReplicaReply.Buried;
        switch (reply)
        {
            case ReplicaReply.Full:
                _full.Add(member);
                break;
            case ReplicaReply.Occupied:
                _occupied.Add(member);
                break;
            case ReplicaReply.TooLate(var now):
                _lateNowMs = _tooLate.Count == 0 ? now : Math.Min(_lateNowMs, now);
                _tooLate.Add(member);
                break;
        }
    }

    private protected override void OnMajority() =>
        State(new SetAddOutcome.Stored(), done: For.Count == Configuration.Members.Length);

    private protected override void OnMinority()
    {
        if (IsAtMajority || IsFull || IsTooLate || IsOccupied)
            GiveUp();
        else
            Retry();
    }

    private protected override void OnLate() => IsDone = For.Count == Configuration.Members.Length;

    private protected override void OnLateTimer()
    {
        if (++_lateRounds < Options.LateRoundsMax)
            AskMissing();
        else
            IsDone = true;
    }

    private protected override void GiveUp() =>
        State(IsAtMajority ? new SetAddOutcome.Stored()
            : IsOccupied ? new SetAddOutcome.Occupied()
            : IsTooLate ? new SetAddOutcome.TooLate(_lateNowMs)
            : IsFull ? new SetAddOutcome.Refused() : new SetAddOutcome.Queued());

    /// <summary>Whatever rounds they answered to.</summary>
    private bool IsAtMajority => _kept.Count >= Majority;

    private bool IsTooLate => LeavesNoMajority(_tooLate);

    private bool IsFull => LeavesNoMajority(_full);

    private bool IsOccupied => !CountsAnyOfItsId && LeavesNoMajority(_occupied);

    private bool LeavesNoMajority(MemberSet refused) => refused.Count > Configuration.Members.Length - Majority;
}

/// <summary>What became of an add; who has it is told by <see cref="SetAdd.Copies"/>.</summary>
public abstract record SetAddOutcome
{
    private SetAddOutcome() { }

    /// <summary>On disk at a majority.</summary>
    public sealed record Stored : SetAddOutcome;

    /// <summary>So many members hold another message of this id that no majority can hold this one.</summary>
    public sealed record Occupied : SetAddOutcome;

    /// <summary>The set is at its limit; a minority may have kept the message all the same.</summary>
    public sealed record Refused : SetAddOutcome;

    /// <summary>It was first handed in too long ago. It may have been kept and read since.</summary>
    /// <param name="NowMs">The earliest of the calendars by which it is; 0 when one was not told.</param>
    public sealed record TooLate(long NowMs) : SetAddOutcome;

    /// <summary>No majority answered; retry with the same id.</summary>
    public sealed record Queued : SetAddOutcome;
}
