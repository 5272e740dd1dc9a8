using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Registers;

/// <summary>The value of a register as of now. One round trip and no commit unless a change is under way.</summary>
/// <remarks>docs/protocol.md#register (fast read).</remarks>
public sealed class RegisterRead : RegisterCoordinator<RegisterReadOutcome>
{
    private readonly ReplicaRules _rules;
    private readonly List<ReplicaReply.Peeked> _peeked = [];
    private ImmutableDictionary<NodeId, ReplicaReply.Peeked> _shown =
        ImmutableDictionary<NodeId, ReplicaReply.Peeked>.Empty;

    private bool _slow;

    public RegisterRead(
        TileConfiguration configuration, string key, BallotSource ballots, CoordinatorOptions options, ulong seed,
        IValueRules? values = null)
        : this(configuration, key, ballots, options, seed, ReplicaRules.Protocol, values) { }

    internal RegisterRead(
        TileConfiguration configuration, string key, BallotSource ballots, CoordinatorOptions options, ulong seed,
        ReplicaRules rules, IValueRules? values = null)
        : base(configuration, key, ballots, options, seed, values) => _rules = rules;

    /// <summary>Ends with what a majority shows, without making sure of it: nothing is written.</summary>
    public bool IsPeek { get; init; }

    /// <summary>What the copies that have answered so far show, for whoever waits no longer. Safe for threads.
    /// </summary>
    public RegisterReadOutcome.Unavailable SoFar
    {
        get
        {
            ReplicaReply.Peeked[] shown =
            [
                .. _shown.Values.Where(one => IsPossible(one.Value)).OrderByDescending(one => one.AcceptedBallot),
            ];
            return new(shown is [] ? null : Newest(shown), Reached, Majority);
        }
    }

    private protected override void Begin()
    {
        _peeked.Clear();
        if (_slow)
            Prepare();
        else
            Peek();
    }

    private protected override Vote JudgePeek(int member, ReplicaReply reply)
    {
        if (reply is not ReplicaReply.Peeked peeked)
            return Vote.Against;
        _peeked.Add(peeked);
        OnShown(member, peeked.AcceptedBallot, peeked.Value);
        return Vote.For;
    }

    private protected override void OnShown(int member, Ballot accepted, ReadOnlyMemory<byte> value) =>
        _shown = _shown.SetItem(Configuration.Members[member], new(accepted, value));

    /// <summary>Rows that came by transfer were perhaps accepted by a minority of the old members, and different new
    /// members may hold different ones; so a value counts as chosen only when it was accepted in this epoch.</summary>
    private protected override void OnPeeked()
    {
        var first = _peeked[0];
        var chosen = first.AcceptedBallot.IsNone
            || first.AcceptedBallot.Epoch == Configuration.Epoch || !_rules.FastReadsCompareEpoch;
        if (chosen && _peeked.TrueForAll(IsAsFirst))
        {
            State(new RegisterReadOutcome.Agreed(first.Value));
            return;
        }

        if (IsPeek)
        {
            State(new RegisterReadOutcome.Shown(SoFar.Newest ?? new(default)));
            return;
        }

        _slow = true;
        Prepare();

        // One ballot has one value; compared all the same, for somebody may lie.
        bool IsAsFirst(ReplicaReply.Peeked peeked) => peeked.AcceptedBallot == first.AcceptedBallot
            && peeked.Value.Span.SequenceEqual(first.Value.Span);
    }

    private protected override ReadOnlyMemory<byte>? Decide(ReadOnlyMemory<byte> current) => null;

    private protected override void OnStored(ReadOnlyMemory<byte> value) => OnKept(value);

    private protected override void OnKept(ReadOnlyMemory<byte> value) => State(new RegisterReadOutcome.Agreed(value));

    private protected override void GiveUp() => State(SoFar);

    private static UnprovenValue Newest(ReplicaReply.Peeked[] shown)
    {
        var values = new List<ReadOnlyMemory<byte>>();
        foreach (var (_, value) in shown)
            if (!value.IsEmpty && !values.Exists(other => other.Span.SequenceEqual(value.Span)))
                values.Add(value);
        return values.Count == 0 ? new(default) : new(values[0]) { Others = values[1..] };
    }
}

/// <summary>What a read found.</summary>
public abstract record RegisterReadOutcome
{
    private RegisterReadOutcome() { }

    /// <summary>A majority agrees on it; empty when nothing was ever written.</summary>
    public sealed record Agreed(ReadOnlyMemory<byte> Value) : RegisterReadOutcome;

    /// <summary>The newest of the values that a majority shows, which do not agree; of a peek only.</summary>
    public sealed record Shown(UnprovenValue Newest) : RegisterReadOutcome;

    /// <summary>No majority answered. <paramref name="Newest"/> is the newest value among the copies that did (null:
    /// none did).</summary>
    public sealed record Unavailable(UnprovenValue? Newest, int Reached, int Needed) : RegisterReadOutcome;
}

/// <summary>What some copies of a register hold, fewer than a majority: it was perhaps never chosen, and another value
/// perhaps was. A type of its own, so that nothing takes it for the register's value by mistake.</summary>
/// <param name="Shown">For showing, and for a degraded login; nothing may be decided by it.</param>
public sealed record UnprovenValue(ReadOnlyMemory<byte> Shown)
{
    /// <summary>What other copies hold, the newest first: the one that shows <see cref="Shown"/> may lie.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Others { get; init; } = [];

    public IEnumerable<ReadOnlyMemory<byte>> All => Others.Prepend(Shown);
}
