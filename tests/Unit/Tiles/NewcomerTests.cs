using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#newcomers: nobody becomes a member who is not there.</summary>
public class NewcomerTests
{
    private const int Newcomer = 3;
    private readonly Bench _bench = new();

    [Fact]
    public void A_newcomer_that_answers_is_asked_before_anything_is_sealed()
    {
        var change = Change();
        _bench.Run(change);
        Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome);
        Assert.Equal(
            [(_bench.Ids[Newcomer], typeof(ReplicaRequest.GetConfiguration)), .. _bench.Now.Members.Select(
                member => (member, typeof(ReplicaRequest.GetConfiguration)))],
            _bench.Sent.TakeWhile(send => send.Request is not ReplicaRequest.Seal)
                .Select(send => (send.To, send.Request.GetType())));
    }

    [Fact]
    public void Without_an_answer_nothing_is_sealed_and_the_tile_works_on()
    {
        _bench.Deaf.Add(Newcomer);
        var change = Change();
        _bench.Run(change);
        Assert.Equal(new EpochChangeOutcome.Unavailable(0, 2), change.Outcome);
        Assert.DoesNotContain(_bench.Sent, send => send.Request is ReplicaRequest.Seal);
        Assert.All(_bench.Replicas[..3], replica => Assert.Equal(TilePhase.Active, replica.Header(Tile)!.Phase));
    }

    [Fact]
    public void A_refused_call_ends_the_change_at_once()
    {
        var change = Change();
        var question = Assert.Single(change.Start().OfType<Effect.Send>());
        Assert.DoesNotContain(change.OnUnreachable(question.To, question.Request), effect => effect is Effect.Send);
        Assert.Equal(new EpochChangeOutcome.Unavailable(0, 2), change.Outcome);
    }

    [Fact]
    public void A_newcomer_that_knows_of_a_newer_epoch_as_another_does_ends_the_change()
    {
        var next = _bench.Now.Next(_bench.Ids[..3]);
        foreach (var node in (int[])[1, Newcomer])
            _bench.Ask(node, new ReplicaRequest.NewConfiguration(next.Next([.. _bench.Ids[1..4]]), next));
        var change = Change();
        _bench.Run(change);
        Assert.Equal(3UL, Assert.IsType<EpochChangeOutcome.Superseded>(change.Outcome).Newest.Epoch);
    }

    [Fact]
    public void A_take_over_goes_on_with_the_members_that_there_are()
    {
        _bench.Deaf.Add(Newcomer);
        for (var node = 0; node < 3; node++)
            _bench.Ask(node, new ReplicaRequest.Seal(_bench.Now.At, new Ballot(1, 1, _bench.Ids[4], 1)));
        var change = Change(takesOver: true);
        _bench.Run(change);
        Assert.Equal(
            _bench.Now.Next(_bench.Now.Members), Assert.IsType<EpochChangeOutcome.Decided>(change.Outcome).Next);
    }

    /// <summary>One of the old members is lost, and a newcomer that was lost before anybody noticed.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lost_newcomer_and_a_lost_member_leave_a_majority_only_if_newcomers_are_asked(bool areAsked)
    {
        _bench.Deaf.Add(Newcomer);
        _bench.Run(Change(areAsked: areAsked));
        _bench.Deaf.Add(0);
        for (var round = 0; round < 3; round++)
            foreach (var node in (int[])[1, 2])
                if (_bench.Replicas[node].Header(Tile) is { Phase: TilePhase.Sealed, Pending: { } pending } header
                    && pending.Contains(_bench.Ids[node]))
                    _bench.Run(new Learner(_bench.Ids[node], header, CoordinatorOptions.Default, 1));
        var newest = _bench.Replicas[1].Header(Tile)!.Newest;
        var active = newest.Members.Count(member => _bench.Ids.IndexOf(member) is var node
            && !_bench.Deaf.Contains(node)
            && _bench.Replicas[node].Header(Tile) is { Phase: TilePhase.Active } header
            && header.Configuration == newest);
        Assert.Equal(areAsked, active >= newest.Majority);
    }

    private EpochChange Change(bool takesOver = false, bool areAsked = true) =>
        new(_bench.Now, [_bench.Ids[0], _bench.Ids[1], _bench.Ids[Newcomer]], _bench.Ballots,
            CoordinatorOptions.Default, 1)
        {
            TakesOver = takesOver,
            Rules = ReplicaRules.Protocol with { NewcomersAreAsked = areAsked },
        };
}
