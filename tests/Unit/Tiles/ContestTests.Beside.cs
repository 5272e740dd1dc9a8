using ChordChat.Core.Tiles;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>Registers that are judged by another one: sessions and key logs by their account.</summary>
public sealed partial class ContestTests
{
    /// <summary>docs/protocol.md#contested-registers: nobody else says anything against it, but no honest copy would
    /// have taken it.</summary>
    [Theory]
    [InlineData(0, "a1", "b2")]
    [InlineData(3, "a1", "b2")]
    [InlineData(0, "", "b1")]
    [InlineData(3, "", "b1")]
    public void What_does_not_go_with_the_row_beside_it_is_not_taken(int learner, string held, string planted)
    {
        Hold("k", "a5", 0, 1, 2);
        if (held.Length > 0)
            Hold("of/k", held, 0, 1, 2);
        Plant("of/k", 1, planted);
        End();

        Learn(learner);

        Assert.Equal((held, "a5"), (Value(learner, "of/k"), Value(learner)));
        Assert.Equal(TilePhase.Active, Phase(learner));
    }

    /// <summary>The learner has the loser of two claims, and with it the rows beside it; both were chosen
    /// elsewhere.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void What_is_judged_by_a_contested_row_waits_until_that_is_settled(int learner)
    {
        Hold("k", "b1", 0);
        Hold("of/k", "b1", 0);
        Hold("k", "a1", 1, 2);
        Hold("of/k", "a1", 1, 2);
        End();
        // What is judged is heard first, and everybody has been heard about it before about the other.
        _bench.Ignores = (_, request) => IsAskedOf("k", request) && _bench.Rings < 3;

        Learn(learner);

        Assert.Equal(("a1", "a1"), (Value(learner), Value(learner, "of/k")));
        Assert.Equal(TilePhase.Active, Phase(learner));
    }

    /// <summary>The first source has taken, as chosen, what it could not judge: it has missed the row beside
    /// it.</summary>
    [Fact]
    public void A_row_is_judged_by_what_a_majority_holds_beside_it()
    {
        Hold("k", "a1", 0, 1);
        Hold("of/k", "a1", 0, 1);
        _bench.Stores[2].PutRegister(Tile, "of/k", _bench.Stores[0].GetRegister(Tile, "of/k"));
        End();
        _bench.Ignores = (node, request) =>
            node == 0 && request is ReplicaRequest.Pull { BytesMax: > 1 } && _bench.Rings < 2;

        Learn(3);

        Assert.Equal(("a1", "a1"), (Value(3), Value(3, "of/k")));
    }
}
