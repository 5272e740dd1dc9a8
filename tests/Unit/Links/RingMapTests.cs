using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

/// <summary>docs/security.md, "The gate": what one node says of others puts no text of its own into the logs or pages
/// of the rest, however printable it is.</summary>
public sealed class RingMapTests
{
    private const string Sentence = "n1 is broken. Call 0900 123";

    private static readonly Peer Known = new(new NodeId(1, 1), new RingId(7), "n1", "127.0.0.1:7401");

    [Theory]
    [InlineData(Sentence)]
    [InlineData("N1")]
    [InlineData("n1\n")]
    [InlineData("")]
    public void What_no_node_can_be_called_is_no_peer_and_passed_over_in_gossip(string name)
    {
        var wrong = Known with { Name = name, Node = new NodeId(2, 2) };
        Assert.Throws<MalformedException>(() => wrong.ToWire().ToCore());
        MemberRecord[] told = [Record(wrong), Record(Known)];
        Assert.Equal([Known], told.ToCore().Select(member => member.Peer));
    }

    [Theory]
    [InlineData("successor", "successor")]
    [InlineData("finger 127", "finger 127")]
    [InlineData("finger 128", "")]
    [InlineData(Sentence, "")]
    public void A_reason_that_no_node_gives_is_left_out(string said, string shown)
    {
        var route = new WireRoute { Peer = Known.ToWire(), Why = said };
        var reply = new FindSuccessorReply { Found = true, Owner = route };
        Assert.Equal(shown, reply.ToCore().Owner!.Why);
    }

    [Fact]
    public void Each_reason_of_this_node_is_one()
    {
        foreach (var why in (string[])[RouteStep.OwnArc, RouteStep.Successor, RouteStep.Cache, RouteStep.Finger(0)])
            Assert.True(RouteStep.IsReason(why));
    }

    [Fact]
    public void A_phase_that_no_tile_has_is_left_out()
    {
        var portrait = new DescribeReply { Tiles = { Held(3), Held(3) } };
        portrait.Tiles[1].Phase = Sentence;
        Assert.Equal(["sealed", ""], portrait.Checked().Tiles.Select(tile => tile.Phase));
    }

    /// <summary>A page's picture has a line for each member, every half second.</summary>
    [Fact]
    public void A_portrait_has_no_more_than_a_ring_can_have()
    {
        new DescribeReply { Tiles = { Held(7) } }.Checked();
        Refused(new() { Tiles = { Held(8) } });
        var twice = Held(3);
        twice.Members[2] = twice.Members[0];
        Refused(new() { Tiles = { twice } });
        Refused(new() { Tiles = { new HeldTile { Bits = TileId.BitsMax + 1 } } });
        Refused(new() { Tiles = { Enumerable.Repeat(new HeldTile(), 65_537) } });

        static void Refused(DescribeReply portrait) =>
            Assert.Throws<MalformedException>(() => portrait.Checked());
    }

    private static HeldTile Held(int members) => new()
    {
        Phase = TilePhase.Sealed.ToWire(),
        Members =
        {
            Enumerable.Range(1, members).Select(at => ByteString.CopyFrom(new NodeId((ulong)at, 0).ToBytes())),
        },
    };

    private static MemberRecord Record(Peer peer) => new Member(peer, 1, Health.Alive, 0).ToWire();
}
