using ChordChat.Core.Ring;
using ChordChat.Node.Transport;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#bad-input, for what nodes say to each other of the ring.</summary>
public class RingFuzzTests
{
    private static readonly Peer Self = new(new NodeId(9, 9), new RingId(9), "n1", "127.0.0.1:1");

    [Fact]
    public void Messages_of_the_ring()
    {
        Messages<GetRingRequest>(message => message.From.ToCore());
        Messages<NotifyRequest>(message => message.From.ToCore());
        Messages<FindSuccessorRequest>(message => message.Position.ToRingId());
        Messages<PingForRequest>(message => message.Target.ToCore());
        Messages<PingRequest>(message => (message.From.ToCore(), message.Gossip.ToCore(), message.Disk?.ToCore()));
        Messages<PingReply>(message => (message.Self.ToCore(), message.Gossip.ToCore(), message.Disk?.ToCore()));
        Messages<RingReply>(message => message.ToCore());
        Messages<FindSuccessorReply>(message => message.ToCore());
        Messages<DescribeReply>(message => message.Checked());
    }

    [Fact]
    public void Whatever_address_is_taken_can_be_called() => FuzzRun.Rounds(
        20_000, WireSamples.Of<WirePeer>, wire =>
            Assert.NotNull(new Uri($"https://{wire.ToCore().Address}")), WireSamples.Show, typeof(MalformedException));

    [Fact]
    public void What_others_say_of_the_ring_breaks_no_rule_of_ours() => FuzzRun.Rounds(
        1_200, random => random.Next(), seed =>
        {
            var random = new Prng(seed);
            var ring = RingState.Starting(Self, new RingOptions());
            var members = MembershipState.Starting(Self, 1, 0, TimeSpan.Zero, new MembershipOptions());
            for (var step = 0; step < 40; step++)
            {
                var now = TimeSpan.FromSeconds(step);
                (members, _) = MembershipProtocol.Step(members, Heard(random, now), random);
                (ring, _) = RingProtocol.Step(ring, random.Below(3) == 0 ? members.ForRing() : Said(random, ring));
                Assert.Equal(Self, members.Members.Own.Peer);
            }
        }, seed => $"seed of the round: {seed}");

    private static MembershipInput Heard(Prng random, TimeSpan now)
    {
        while (true)
            try
            {
                var ping = WireSamples.Of<PingRequest>(random);
                var (from, gossip) = (ping.From.ToCore(), ping.Gossip.ToCore());
                return random.Below(2) == 0
                    ? new MembershipInput.Pinged(now, from, gossip, ping.WantAll, ping.Digest)
                    : new MembershipInput.Acked(now, (ulong)random.Below(4), from, gossip);
            }
            catch (MalformedException)
            {
                // Refused on its way in.
            }
    }

    private static RingInput Said(Prng random, RingState ring)
    {
        if (ring.Pending is not { } asked || random.Below(3) == 0)
            return random.Below(2) == 0 ? new RingInput.StabilizeDue() : Notified(random);
        try
        {
            return new RingInput.Answered(asked.Nonce, WireSamples.Of<RingReply>(random).ToCore());
        }
        catch (MalformedException)
        {
            return new RingInput.AskTimedOut(asked.Nonce);
        }
    }

    private static RingInput Notified(Prng random)
    {
        try
        {
            return new RingInput.Notified(WireSamples.Of<WirePeer>(random).ToCore());
        }
        catch (MalformedException)
        {
            return new RingInput.RingRead();
        }
    }

    private static void Messages<T>(Func<T, object?> read)
        where T : IMessage<T>, new()
    {
        var parser = new MessageParser<T>(() => new T());
        FuzzRun.Rounds(
            1_500, WireSamples.Of<T>, message => read(message), message => WireSamples.Show(message),
            typeof(MalformedException));
        FuzzRun.Rounds(
            1_500, random => Mutation.Of(WireSamples.Corpus<T>(3), random),
            bytes => read(WireSamples.Parse(parser, bytes)), Convert.ToHexString,
            typeof(InvalidProtocolBufferException), typeof(InvalidDataException), typeof(MalformedException));
    }
}
