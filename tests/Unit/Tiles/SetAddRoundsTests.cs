using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Sets;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#set: what a member said counts, whatever round of the add it was an answer to.</summary>
public sealed class SetAddRoundsTests
{
    private readonly Bench _bench = new();

    /// <summary>One is dead, and one of the others always answers after its round has ended.</summary>
    [Fact]
    public void What_a_majority_has_is_stored_although_its_answers_were_for_different_rounds()
    {
        var add = NewAdd(1);
        var first = add.Start().OfType<Effect.Send>().First().Request;
        add.OnUnreachable(_bench.Ids[2], first);
        add.OnUnreachable(_bench.Ids[1], first);
        add.On(_bench.Ids[0], first, new ReplicaReply.Added(1));
        Assert.Null(add.Outcome);
        add.On(_bench.Ids[1], first, new ReplicaReply.Added(1));
        Assert.IsType<SetAddOutcome.Stored>(add.Outcome);
        Assert.Equal(2, add.CopyCount);
    }

    /// <summary>The late answer comes first, and nobody else says anything.</summary>
    [Fact]
    public void What_a_majority_has_is_stored_although_the_last_answer_was_in_time()
    {
        var add = NewAdd(1);
        var first = add.Start().OfType<Effect.Send>().First().Request;
        ReplicaRequest? second = null;
        while (second is null)
            second = add.OnTimeout().OfType<Effect.Send>().FirstOrDefault()?.Request;
        add.On(_bench.Ids[1], first, new ReplicaReply.Added(1));
        add.On(_bench.Ids[0], second, new ReplicaReply.Added(1));
        for (var rings = 0; !add.IsDone && rings < 100; rings++)
            add.OnTimeout();
        Assert.IsType<SetAddOutcome.Stored>(add.Outcome);
    }

    /// <summary>A member that is known to be dead ends each round as soon as the first of the others refuses.</summary>
    [Theory]
    [InlineData("full", typeof(SetAddOutcome.Refused))]
    [InlineData("late", typeof(SetAddOutcome.TooLate))]
    [InlineData("occupied", typeof(SetAddOutcome.Occupied))]
    public void What_all_living_members_refuse_is_refused_although_the_third_one_is_dead(string why, Type outcome)
    {
        ReplicaReply refusal = why switch
        {
            "full" => new ReplicaReply.Full(),
            "late" => new ReplicaReply.TooLate(5),
            _ => new ReplicaReply.Occupied(),
        };
        var add = NewAdd(1);
        var effects = add.Start().ToArray();
        for (var rounds = 0; !add.IsDone && rounds < 100; rounds++)
        {
            var sends = effects.OfType<Effect.Send>().ToArray();
            if (sends.Length > 0)
            {
                add.OnUnreachable(_bench.Ids[2], sends[0].Request);
                add.On(_bench.Ids[0], sends[0].Request, refusal);
                add.On(_bench.Ids[1], sends[0].Request, refusal);
            }

            effects = [.. add.OnTimeout()];
        }

        Assert.IsType(outcome, add.Outcome);
    }

    private SetAdd NewAdd(uint id) => new(_bench.Now, "m", Bench.Message(id), CoordinatorOptions.Default, 1);
}
