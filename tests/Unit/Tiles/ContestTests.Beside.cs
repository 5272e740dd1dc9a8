using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>Registers that are judged by another one: sessions and key logs by their account; and rows that are no
/// values.</summary>
public sealed partial class ContestTests
{
    /// <summary>docs/protocol.md#contested-registers: nobody else says anything against it, but no honest copy would
    /// have taken it.</summary>
    [Theory]
    [InlineData(0, "a1", "a9")]
    [InlineData(3, "a1", "a9")]
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

    /// <summary>docs/protocol.md#contested-registers: the one that has sent everything may have made it up, and the
    /// other one that was asked pauses for some seconds.</summary>
    [Fact]
    public void A_newcomer_does_not_believe_one_alone_because_another_one_is_slow()
    {
        Hold("a1", 0, 2);
        Plant(1, "b1");
        End();
        Complete(1);
        _bench.Ignores = (node, _) => node == 0 && _bench.Rings < 6;

        Learn(3);

        Assert.Equal(("a1", TilePhase.Active), (Value(3), Phase(3)));
    }

    /// <summary>It was right when it was written, as the entries of a key log are before their owner takes another
    /// identity.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void What_a_majority_holds_is_taken_whatever_stands_beside_it(int learner)
    {
        Hold("k", "a5", 0, 1, 2);
        foreach (var node in (int[])[1, 2])
            Plant("of/k", node, "b1");
        End();

        Learn(learner);

        Assert.Equal(("b1", "a5"), (Value(learner, "of/k"), Value(learner)));
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

    /// <summary>It would make a name that is free one that nobody can register.</summary>
    [Fact]
    public void Nobody_takes_a_ballot_without_a_value()
    {
        Plant(1, "");
        End();
        Learn(0);
        Learn(3);
        Assert.Equal((TilePhase.Active, TilePhase.Active), (Phase(0), Phase(3)));
        foreach (var node in (int[])[0, 3])
            Assert.True(_bench.Stores[node].GetRegister(Tile, "k").AcceptedBallot.IsNone);
    }

    /// <summary>Whoever wrote back that nothing is there would be refused by everybody, again and again.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    public void A_name_that_nobody_has_can_be_read_whatever_one_member_shows(string shown)
    {
        var ballot = new Ballot(1, 1, _bench.Ids[0], 1);
        _bench.Lie = (node, request) => node != 0 ? null : request switch
        {
            ReplicaRequest.Peek => new ReplicaReply.Peeked(ballot, Bytes(shown)),
            ReplicaRequest.Prepare => new ReplicaReply.Promised(ballot, Bytes(shown)),
            _ => null,
        };
        var read = new RegisterRead(
            _bench.Now, "k", _bench.Ballots, CoordinatorOptions.Default, 1, new OwnedValues());
        _bench.Run(read);
        Assert.Empty(Assert.IsType<RegisterReadOutcome.Agreed>(read.Outcome).Value.ToArray());
        Assert.DoesNotContain(_bench.Sent, send => send.Request is ReplicaRequest.Accept);
    }
}
