using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Tiles;
using Xunit;
using static ChordChat.Tests.Unit.Tiles.Bench;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#judged-where-carried-out: a request comes in while the replica is about to go on to the
/// next epoch, and is carried out in that one.</summary>
public sealed class JudgedWhenCarriedOutTests
{
    private const int Self = 0;
    private const int Liar = 1;

    private static readonly CoordinatorOptions Options = CoordinatorOptions.Default with { Copies = 3 };

    private readonly Bench _bench = new();
    private readonly TileBoard _board = new();
    private readonly CallerRights _rights;

    public JudgedWhenCarriedOutTests()
    {
        var ring = MembershipState.Starting(PeerOf(Self), MembershipState.FirstIncarnation(1), 0, TimeSpan.Zero);
        for (var node = 1; node < 4; node++) // Nobody knows the fifth one.
            ring = MembershipProtocol.Step(
                ring, new MembershipInput.Pinged(TimeSpan.Zero, new(PeerOf(node), 1, Health.Alive, 0), [], false, 0),
                new Prng(1)).State;
        _rights = new(
            _board, _bench.DirectoryWith(_bench.Now),
            new NextMembers(() => ring, () => TimeSpan.Zero, Options, StewardOptions.Default, _ => false), Options);
        _board.Show(_bench.Replicas[Self].Headers);
    }

    public static TheoryData<int[]> MadeUp => [[Liar], [Liar, 4, 3], [Liar, 0, 2, 3]];

    [Theory]
    [MemberData(nameof(MadeUp))]
    public void Nobody_gets_a_vote_for_any_next_members_by_asking_before_the_epoch_has_begun(int[] members)
    {
        var wish = Next([.. members.Select(node => _bench.Ids[node])]);
        AssertIsRefused(wish);
    }

    [Fact]
    public void Nobody_gets_a_cut_by_asking_before_the_epoch_has_begun()
    {
        var next = _bench.Now.Next(_bench.Now.Members);
        AssertIsRefused(next.Next(next.Members) with { Tile = Tile.First, Splits = [next.Epoch] });
    }

    /// <summary>A request for the next epoch is let in from all around the tile, since it only tells what is known
    /// here.</summary>
    [Fact]
    public void A_member_that_goes_does_not_end_the_epoch_that_begins_without_it()
    {
        var at = _bench.Now.Next(_bench.Now.Members).At;
        var seal = Judged(new ReplicaRequest.Seal(at, BallotIn(at)));
        var decide = Judged(new ReplicaRequest.Decide(at, BallotIn(at), Next([.. _bench.Now.Members])));
        GoOn(0, 2, 3);
        Assert.IsType<ReplicaReply.NotAllowed>(CarryOut(seal));
        Assert.IsType<ReplicaReply.NotAllowed>(CarryOut(decide));
        Assert.Equal(TilePhase.Active, Header.Phase);
    }

    [Fact]
    public void A_change_that_any_honest_member_would_want_is_voted_for()
    {
        var at = _bench.Now.Next(_bench.Now.Members).At;
        var wish = Next([_bench.Ids[0], _bench.Ids[1], _bench.Ids[3]]);
        var decide = Judged(new ReplicaRequest.Decide(at, BallotIn(at), wish));
        GoOn(0, 1, 2);
        Assert.IsType<ReplicaReply.Accepted>(CarryOut(decide));
    }

    private TileHeader Header => _bench.Replicas[Self].Header(Tile)!;

    /// <summary>After the next epoch has begun.</summary>
    private TileConfiguration Next(ImmutableArray<NodeId> members) =>
        _bench.Now.Next(_bench.Now.Members).Next(members);

    private Ballot BallotIn(TileEpoch at) => new(at.Epoch, 1, _bench.Ids[Liar], 1);

    private void AssertIsRefused(TileConfiguration wish)
    {
        var at = _bench.Now.Next(_bench.Now.Members).At;
        var decide = Judged(new ReplicaRequest.Decide(at, BallotIn(at), wish));
        GoOn(0, 1, 2);
        Assert.IsType<ReplicaReply.NotAllowed>(CarryOut(decide));
        Assert.Null(Header.NextAccepted);
    }

    private ReplicaRequest Judged(ReplicaRequest request) =>
        Assert.IsType<CallVerdict.Allowed>(_rights.Judge(_bench.Ids[Liar], request)).Request;

    private ReplicaReply CarryOut(ReplicaRequest request) =>
        _bench.Replicas[Self].Handle(request, _bench.Ids[Liar], 0);

    private void GoOn(params int[] members)
    {
        var next = _bench.Now.Next([.. members.Select(node => _bench.Ids[node])]);
        _bench.Ask(Self, new ReplicaRequest.NewConfiguration(next, _bench.Now));
        Assert.IsType<ReplicaReply.Done>(_bench.Ask(Self, new ReplicaRequest.Activate(next.At)));
        Assert.IsType<ReplicaReply.Done>(_bench.Ask(Self, new ReplicaRequest.MayEnd(next.At, true)));
    }

    private Peer PeerOf(int node) =>
        new(_bench.Ids[node], new RingId((UInt128)node), $"n{node}", $"host{node}:7401");
}
