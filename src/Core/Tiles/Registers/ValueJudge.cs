using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles.Registers;

/// <summary>What becomes of two copies of one register.</summary>
internal enum Union
{
    KeepsOwn,
    TakesCopy,

    /// <summary>They contradict each other: others must be heard.</summary>
    IsContested,
}

/// <summary>Judges values before a replica keeps them, and remembers what is disputed.</summary>
/// <remarks>docs/protocol.md#value-rules.</remarks>
internal sealed class ValueJudge(TrackedRows rows, IValueRules rules)
{
    public Disputes Disputes { get; } = new();

    /// <summary>Whether a value may be kept in place of the one that is here. What does not follow becomes a
    /// dispute.</summary>
    /// <param name="from">Who brings it.</param>
    public bool Fits(TileEpoch at, string key, RegisterRow own, ReadOnlyMemory<byte> next, NodeId from)
    {
        var verdict = Judge(at, key, own, next);
        if (verdict == ValueVerdict.DoesNotFollow)
            Disputes.Note(new(at, key), from);
        return verdict == ValueVerdict.Fits;
    }

    /// <summary>Whether a value may stand in this register at all, whatever stands there now.</summary>
    public bool IsSound(string key, ReadOnlyMemory<byte> value) =>
        rules.Judge(key, default, value, null) != ValueVerdict.Malformed;

    /// <summary>Whether there is a set of this name, and it is a message: docs/protocol.md#no-empty-mail.</summary>
    public bool MayTake(TransferredEntry entry) =>
        rules.HasSet(entry.Set) && (entry.Content is not { } content || SetLimits.IsMessage(content));

    /// <summary>What becomes of a copied row beside the one that is here; neither is newer for certain.</summary>
    public Union Unite(TileEpoch at, string key, RegisterRow own, TransferredRegister copy)
    {
        if (copy.AcceptedBallot.Epoch > at.Epoch || copy.Value.IsEmpty) // Nobody writes an empty value.
            return Union.KeepsOwn;
        if (IsLeap(at, own, copy.AcceptedBallot))
            return IsSound(key, copy.Value) ? Union.IsContested : Union.KeepsOwn;
        var isNewer = copy.AcceptedBallot > own.AcceptedBallot;
        if (copy.Value.Span.SequenceEqual(own.Value.Span))
            return isNewer ? Union.TakesCopy : Union.KeepsOwn;
        if (own.AcceptedBallot.IsNone)
            return IsSound(key, copy.Value) ? Taken() : Union.KeepsOwn;
        var verdict = isNewer
            ? rules.Judge(key, own.Value, copy.Value, null)
            : rules.Judge(key, copy.Value, own.Value, null);
        if (verdict == ValueVerdict.Fits && copy.AcceptedBallot != own.AcceptedBallot)
            return isNewer ? Taken() : Union.KeepsOwn;
        return IsSound(key, copy.Value) ? Union.IsContested : Union.KeepsOwn;

        Union Taken() => FitsBeside(at, key, copy.Value) ? Union.TakesCopy : Union.IsContested;
    }

    /// <summary>The register that must be seen to judge this one; null when it is judged alone.</summary>
    public string? BesideOf(string key) => rules.BesideOf(key);

    /// <summary>What a learner begins with where its sources contradict each other; null: what is here
    /// stays.</summary>
    /// <param name="isFinal">Whether the newest row counts where no majority leads up to one.</param>
    public RegisterAnswers.Found? Settle(
        TileEpoch at, string key, RegisterRow own, ImmutableArray<HeardRegister> heard, int majority, bool isFinal)
    {
        var (votes, all) = (new RegisterAnswers(key, rules), new RegisterAnswers(key, rules));
        foreach (var (row, isVote) in heard)
        {
            if (row.AcceptedBallot.Epoch > at.Epoch
                || (IsLeap(at, own, row.AcceptedBallot) && !IsOfMajority(row.IsSameAs))
                || (majority > 0 && !MayStand(at, key, own, row)
                    && !IsOfMajority(other => other.Value.Span.SequenceEqual(row.Value.Span))))
                continue;
            all.Add(row.AcceptedBallot, row.Value);
            if (isVote)
                votes.Add(row.AcceptedBallot, row.Value);
        }

        return (majority > 0 ? votes.Agreed(majority) : null) ?? (isFinal ? all.Newest(1) : null);

        bool IsOfMajority(Func<TransferredRegister, bool> isSame) =>
            majority > 0 && heard.Count(other => other.Votes && isSame(other.Row)) >= majority;
    }

    /// <summary>Whether a row of this very epoch is so far ahead that one who lies may have raised it, to drive copies
    /// apart. Rounds of older epochs hold up nobody.</summary>
    /// <remarks>docs/protocol.md#rounds-apart.</remarks>
    public static bool IsLeap(TileEpoch at, RegisterRow own, Ballot accepted) =>
        accepted.Epoch == at.Epoch && accepted.IsLeapAbove(own.Highest);

    private ValueVerdict Judge(TileEpoch at, string key, RegisterRow own, ReadOnlyMemory<byte> next) =>
        !own.AcceptedBallot.IsNone && next.Span.SequenceEqual(own.Value.Span)
            ? ValueVerdict.Fits
            : rules.Judge(key, own.Value, next, Beside(at, key));

    /// <summary>What is here stays, whatever is beside it.</summary>
    private bool MayStand(TileEpoch at, string key, RegisterRow own, TransferredRegister row) =>
        row.Value.Span.SequenceEqual(own.Value.Span) || FitsBeside(at, key, row.Value);

    /// <summary>A value of nothing stands beside everything.</summary>
    private bool FitsBeside(TileEpoch at, string key, ReadOnlyMemory<byte> value) =>
        value.IsEmpty || Beside(at, key) is not { } beside || rules.FitsBeside(key, value, beside);

    /// <summary>What is here of the register that must be seen to judge this one; null when there is none.</summary>
    private ReadOnlyMemory<byte>? Beside(TileEpoch at, string key) =>
        rules.BesideOf(key) is { } other
            ? rows.GetRegister(at.Tile, other).Value
            : (ReadOnlyMemory<byte>?)null;
}
