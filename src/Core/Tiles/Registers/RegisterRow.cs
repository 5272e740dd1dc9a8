namespace ChordChat.Core.Tiles.Registers;

/// <summary>A register at one replica; the default is a register that was never heard of.</summary>
/// <param name="Promised">Nothing below it is accepted any more.</param>
/// <param name="AcceptedBallot">The ballot under which <paramref name="Value"/> was accepted; none: no value.</param>
public readonly record struct RegisterRow(Ballot Promised, Ballot AcceptedBallot, ReadOnlyMemory<byte> Value)
{
    public Ballot Highest => Ballot.Max(Promised, AcceptedBallot);
}
