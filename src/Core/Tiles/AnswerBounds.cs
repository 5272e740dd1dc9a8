using ChordChat.Core.Tiles.Epochs;

namespace ChordChat.Core.Tiles;

/// <summary>How large the numbers can be that nodes name of one tile, if one of them lies.</summary>
/// <remarks>docs/protocol.md#impossible-numbers.</remarks>
public sealed class AnswerBounds
{
    /// <summary>Before the first order: nobody can make that many changes.</summary>
    private const int LeadBits = 32;

    private const int LeadBitsMax = 60;

    /// <param name="issued">The highest generation that was ordered of the tile, or of one that it was cut out
    /// of.</param>
    public AnswerBounds(IReadOnlyCollection<TileAnswer> answers, ulong issued)
    {
        GenerationMax = Math.Max(issued, Second(answers.Select(answer => answer.Generation)));
        // Each order may have begun with an epoch that a liar named within these bounds.
        var bits = (int)Math.Min(LeadBits + (2 * Math.Min(GenerationMax, LeadBitsMax)), LeadBitsMax);
        EpochMax = Second(answers.Select(answer => answer.Epoch)) + (1UL << bits);
    }

    /// <summary>The operator has ordered no later one, unless two nodes know better.</summary>
    public ulong GenerationMax { get; }

    /// <summary>Far beyond what a second node names.</summary>
    public ulong EpochMax { get; }

    public bool IsPossible(TileAnswer answer) => answer.Generation <= GenerationMax && answer.Epoch <= EpochMax;

    private static ulong Second(IEnumerable<ulong> named) => named.OrderDescending().Skip(1).FirstOrDefault();
}
