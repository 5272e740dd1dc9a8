using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Tests.Unit.Ring;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#bad-input, for what nodes say to each other of the ring.</summary>
public class RingFuzzTests
{
    private static readonly Peer Self = new(new NodeId(9, 9), new RingId(9), "n1", "127.0.0.1:1");

    /// <summary>More than a small ring has; the first one is this node.</summary>
    private static readonly ImmutableArray<Peer> Crowd =
        [.. Enumerable.Range(1, 16).Select(number => Peers.At((UInt128)(number * 10)))];

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

    /// <summary>The members that are named are those of the cache, in answers often at other positions.</summary>
    [Fact]
    public void Answers_that_put_members_elsewhere_than_the_cache_break_no_rule_of_ours() => FuzzRun.Rounds(
        4_000, random => random.Next(), seed =>
        {
            var random = new Prng(seed);
            var ring = RingState.Starting(Crowd[0], new RingOptions { SuccessorCount = 3, JoinStepsMax = 5 });
            for (var step = 0; step < 60; step++)
                (ring, _) = RingProtocol.Step(ring, InCrowd(random, ring));
        }, seed => $"seed of the round: {seed}");

    [Fact]
    public void Lookups_end_and_fingers_and_audits_take_whatever_others_say() => FuzzRun.Rounds(
        600, random => random.Next(), seed =>
        {
            var random = new Prng(seed);
            var ring = RingState.Starting(Crowd[0], new RingOptions { SuccessorCount = 3, JoinStepsMax = 5 });
            var fingers = FingerTable.Of(Crowd[0]);
            for (var step = 0; step < 60; step++)
            {
                (ring, _) = RingProtocol.Step(ring, InCrowd(random, ring));
                var point = random.Below(3) == 0 ? Named(random).Position : fingers.NextStart;
                fingers = Look(random, ring, fingers, point) is LookupWant.Done(var owner)
                    ? fingers.Fix(owner) : fingers.Skip();
                var token = new AuditToken(
                    Named(random), 1, 1 + random.Below(9), random.Below(4), Named(random).Position, random.Next128());
                var heard = (AuditNews.Passed)new AuditNews.Passed(token).ToWire().ToCore();
                if (RingAudit.Pass(ring, heard.Token) is AuditStep.Forward(_, var next))
                    Assert.True(next.Wraps <= RingAudit.WrapsMax);
            }
        }, seed => $"seed of the round: {seed}");

    private static LookupWant Look(Prng random, RingState ring, FingerTable fingers, RingId point)
    {
        var steps = Lookup.StepsMax(Crowd.Length, 3);
        var lookup = Lookup.Start(Crowd[0], point, Routing.Answer(ring, fingers, null, point), steps);
        for (var asked = 0; lookup.Want is LookupWant.Ask; asked++)
        {
            Assert.True(asked < steps);
            var closer = Enumerable.Range(0, random.Below(7)).Select(_ => new RouteStep(Named(random), "cache"));
            var owner = random.Below(8) == 0 ? new RouteStep(Named(random), "successor") : null;
            lookup = random.Below(6) == 0 ? lookup.Unreachable()
                : lookup.Answered(new RouteReply(owner, [.. closer]).ToWire().ToCore());
        }

        return lookup.Want;
    }

    private static RingInput InCrowd(Prng random, RingState ring)
    {
        var asked = ring.Pending?.Nonce ?? 0;
        return random.Below(asked > 0 ? 14 : 6) switch
        {
            0 => Cached(random),
            1 => new RingInput.RingRead(),
            2 => random.Below(4) == 0 ? new RingInput.AuditFailed() : new RingInput.Paused(),
            3 => new RingInput.Notified(Named(random)),
            4 or 5 => new RingInput.StabilizeDue(),
            6 => new RingInput.AskTimedOut(asked),
            7 => new RingInput.StillAlive(asked),
            _ => new RingInput.Answered(asked, Answer(random).ToWire().ToCore()),
        };
    }

    /// <summary>A cache holds one member at each position, perhaps the wrong one, and never another one at this
    /// node's.</summary>
    private static RingInput.MembersKnown Cached(Prng random)
    {
        var others = Crowd.RemoveAt(0);
        if (random.Below(2) == 0)
        {
            var (one, other) = (random.Below(others.Length), random.Below(others.Length));
            others = others.SetItem(one, others[one] with { Position = Crowd[other + 1].Position })
                .SetItem(other, others[other] with { Position = Crowd[one + 1].Position });
        }

        var gone = others.RemoveAll(_ => random.Below(6) > 0);
        var live = others.RemoveAll(peer => gone.Contains(peer) || random.Below(3) == 0);
        if (random.Below(10) == 0)
            live = [.. live.Take(random.Below(4))];
        var count = live.Length + 1 + random.Below(4);
        return new(live, count, [.. gone.Select(peer => peer.Node)]);
    }

    private static RingAnswer Answer(Prng random)
    {
        if (random.Below(10) == 0)
            return RingAnswer.NotMember;
        var named = Enumerable.Range(0, random.Below(7)).Select(_ => Named(random)).ToList();
        var from = Crowd[random.Below(Crowd.Length)].Position;
        if (random.Below(3) > 0)
            named.Sort((one, other) => from.DistanceTo(one.Position).CompareTo(from.DistanceTo(other.Position)));
        return new(true, random.Below(3) == 0 ? null : Named(random), [.. named]);
    }

    private static Peer Named(Prng random)
    {
        var peer = Crowd[random.Below(Crowd.Length)];
        return random.Below(2) == 0 ? peer : peer with { Position = Crowd[random.Below(Crowd.Length)].Position };
    }

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
