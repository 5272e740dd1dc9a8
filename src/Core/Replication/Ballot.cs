using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>The number of one attempt to write a register or to decide a configuration. Larger wins.</summary>
/// <param name="Epoch">First, so that every ballot of a newer configuration beats every older one.</param>
/// <param name="Round">Unique among the attempts of one process run; <see cref="BallotSource"/> sees to it.</param>
/// <param name="Incarnation">How often the proposer has started, so that a restart never repeats a ballot.</param>
/// <remarks>The default value is "none" and smaller than every ballot in use. Source: Rystsov, CASPaxos.</remarks>
public readonly record struct Ballot(ulong Epoch, ulong Round, NodeId Proposer, ulong Incarnation) : IComparable<Ballot>
{
    public bool IsNone => Epoch == 0 && Round == 0;

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
