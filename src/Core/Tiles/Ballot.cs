using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>The number of one attempt to write a register or to decide a configuration. Larger wins.</summary>
/// <param name="Epoch">First, so that every ballot of a newer configuration beats every older one.</param>
/// <param name="Round">Above every round that was refused.</param>
/// <param name="Incarnation">Unique among the ballots of a node, over its restarts too; <see cref="BallotSource"/> sees
/// to it.</param>
/// <remarks>The default value is "none" and smaller than every ballot in use. Source: Rystsov, CASPaxos.</remarks>
public readonly record struct Ballot(ulong Epoch, ulong Round, NodeId Proposer, ulong Incarnation) : IComparable<Ballot>
{
    /// <summary>Beyond it a replica knows no round.</summary>
    public const ulong RoundMax = long.MaxValue;

    /// <summary>How far one ballot may be ahead of those before it. No honest one is: a process cannot make so many.
    /// And nobody gets to <see cref="RoundMax"/> in such steps before somebody notices.</summary>
    internal const ulong StepMax = 1UL << 32;

    /// <summary>A ballot is a leap when it is further ahead. An honest one is only where copies were driven
    /// apart: <see cref="BallotSource"/> counts no further by itself.</summary>
    internal const ulong LeapMin = 1UL << 16;

    public bool IsNone => Epoch == 0 && Round == 0;

    /// <summary>Whether it is so far ahead of the highest ballot of its kind that an honest proposer cannot have made
    /// it: such a ballot is not promised to.</summary>
    /// <remarks>docs/protocol.md#what-a-member-may-ask.</remarks>
    public bool IsTooFarAbove(Ballot highest) => Round > StepAbove(highest);

    /// <summary>docs/protocol.md#rounds-apart.</summary>
    public bool IsLeapAbove(Ballot highest) =>
        Round > LeapMin && (highest.Epoch != Epoch || (Round > highest.Round && Round - highest.Round > LeapMin));

    /// <summary>What is promised to a ballot that is too far ahead instead of it: one step, to nobody.</summary>
    public Ballot OneStepAbove(Ballot highest) => new(Epoch, StepAbove(highest), default, 0);

    private ulong StepAbove(Ballot highest) =>
        StepMax + (highest.Epoch == Epoch ? Math.Min(highest.Round, RoundMax - StepMax) : 0);

    public int CompareTo(Ballot other)
    {
        if (Epoch != other.Epoch)
            return Epoch.CompareTo(other.Epoch);
        if (Round != other.Round)
            return Round.CompareTo(other.Round);
        var proposer = Proposer.CompareTo(other.Proposer);
        return proposer != 0 ? proposer : Incarnation.CompareTo(other.Incarnation);
    }

    public static Ballot Max(Ballot left, Ballot right) => left >= right ? left : right;

    public static bool operator <(Ballot left, Ballot right) => left.CompareTo(right) < 0;
    public static bool operator >(Ballot left, Ballot right) => left.CompareTo(right) > 0;
    public static bool operator <=(Ballot left, Ballot right) => left.CompareTo(right) <= 0;
    public static bool operator >=(Ballot left, Ballot right) => left.CompareTo(right) >= 0;

    public override string ToString() => IsNone ? "none" : $"{Epoch}.{Round}.{Proposer.ToString()[..4]}.{Incarnation}";
}
