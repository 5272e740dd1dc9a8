using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Disks;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Storage;
using ChordChat.Tests.Simulation.Replication;
using ChordChat.Tests.Simulation.World;
using ChordChat.Tests.Unit.Tiles;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;
using Replica = ChordChat.Core.Tiles.Replica;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#bad-input: what comes over a link is refused with one exception, or it is
/// harmless.</summary>
public class ReplicaFuzzTests
{
    private static readonly NodeId Self = Node(1);
    private static readonly ImmutableArray<NodeId> Members = [Node(1), Node(2), Node(3)];
    private static readonly TileConfiguration Now = new(Bench.Tile, 0, 1, Members);

    [Fact]
    public void Frames_of_calls() => FuzzRun.Bytes(
        WireSamples.Corpus<CallFrame>(60), 20_000, bytes =>
        {
            var frame = WireSamples.Parse(CallFrame.Parser, bytes);
            CheckDisk(frame.Hello, frame.Refusal);
            foreach (var call in frame.Calls)
                if (Read(call) is { } request)
                    Assert.Equal(
                        request.ToWire().ToByteString(),
                        request.ToWire().ToReplicaRequest()!.ToWire().ToByteString());
        }, typeof(InvalidProtocolBufferException), typeof(InvalidDataException));

    [Fact]
    public void Frames_of_answers() => FuzzRun.Bytes(
        WireSamples.Corpus<AnswerFrame>(60), 20_000, bytes =>
        {
            var frame = WireSamples.Parse(AnswerFrame.Parser, bytes);
            CheckDisk(frame.Hello, frame.Refusal);
            foreach (var answer in frame.Answers)
                if (Read(answer) is { } reply)
                    Assert.Equal(
                        reply.ToWire().ToByteString(), reply.ToWire().ToReplicaReply()!.ToWire().ToByteString());
        }, typeof(InvalidProtocolBufferException), typeof(InvalidDataException));

    /// <summary>A hundred calls of chance to one replica: it answers each, and its headers are written and read
    /// alike.</summary>
    [Fact]
    public void A_replica_answers_whatever_it_is_asked() => FuzzRun.Rounds(
        150, random => WireSamples.Of<CallFrame>(random, 100), frame =>
        {
            var replica = new Replica(Self, new MemoryReplicaStore(new Disk()));
            replica.Found([Now]);
            foreach (var call in frame.Calls)
            {
                if (Read(call) is not { } request)
                    continue;
                var reply = replica.Handle(request, Node(2), 1_000);
                Assert.Equal(reply is not ReplicaReply.NotAllowed, Read(reply.ToWire()) is not null);
                foreach (var header in replica.TakeChanges())
                    Assert.Equal(header, HeaderFormat.Read(HeaderFormat.Write(header)));
            }
        }, WireSamples.Show);

    /// <summary>Members that answer by chance: an operation ends or waits for its timer, and never throws.</summary>
    [Fact]
    public void No_operation_stumbles_over_an_answer() => FuzzRun.Rounds(
        3_000, random => (Operation: random.Below(9), Seed: random.Next()), input =>
        {
            var random = new Prng(input.Seed);
            var operation = Operation(input.Operation, input.Seed);
            var open = new List<Effect.Send>();
            Take(operation.Start(), open);
            for (var step = 0; step < 60 && !operation.IsDone; step++)
            {
                if (open.Count == 0 || random.Below(20) == 0)
                {
                    Take(operation.OnTimeout(), open);
                    continue;
                }

                var send = open[random.Below(open.Count)];
                Take(Read(WireSamples.Of<Answer>(random)) is { } reply
                    ? operation.On(send.To, send.Request, reply)
                    : operation.OnUnreachable(send.To, send.Request), open);
                Assert.Equal(Bench.Tile, operation.Configuration.Tile);
            }
        }, input => $"operation {input.Operation}, seed {input.Seed}");

    private static Coordinator Operation(int kind, ulong seed)
    {
        var (options, ballots) = (new CoordinatorOptions(), new BallotSource(Self, 1));
        return kind switch
        {
            0 => new RegisterRead(Now, "acct/alice", ballots, options, seed),
            1 => new RegisterChange(Now, "acct/alice", _ => new byte[] { 1 }, ballots, options, seed),
            2 => new SetAdd(Now, "mbox/alice", new SetMessage(new(7), new byte[] { 1 }), options, seed),
            3 => new SetAcknowledge(Now, "mbox/alice", [new(7)], options, seed),
            4 => new SetScan(Now, "mbox/alice", options, seed),
            5 => new EpochChange(Now, [Node(1), Node(2), Node(4)], ballots, options, seed),
            6 => new TombstoneCollector(Self, Now, options),
            7 => new Homecoming(Self, Now, options),
            _ => new Learner(Self, new TileHeader(Now.Next(Members), TilePhase.Learning, Previous: Now), options, seed),
        };
    }

    private static void Take(IReadOnlyList<Effect> effects, List<Effect.Send> open) =>
        open.AddRange(effects.OfType<Effect.Send>().Take(200));

    /// <summary>docs/protocol.md#copied-and-restored-disks: refused, or a history that can be judged.</summary>
    private static void CheckDisk(DiskHello? hello, DiskRefusal? refusal)
    {
        try
        {
            var told = hello.ToCore();
            Assert.Equal(told.ToWire(), told.ToWire().ToCore().ToWire());
            Assert.Equal(DiskVerdict.Whole, told.JudgedBy(told.Sighting));
            _ = told.JudgedBy(refusal?.Seen.ToCore());
            _ = new DiskWitness().Admit(Self, told);
        }
        catch (MalformedException)
        {
            // Refused on its way in.
        }
    }

    private static ReplicaRequest? Read(Call call)
    {
        try
        {
            return call.ToReplicaRequest();
        }
        catch (MalformedException)
        {
            return null;
        }
    }

    private static ReplicaReply? Read(Answer answer)
    {
        try
        {
            return answer.ToReplicaReply();
        }
        catch (MalformedException)
        {
            return null;
        }
    }

    private static NodeId Node(int fill)
    {
        var bytes = new byte[32];
        Array.Fill(bytes, (byte)fill);
        return NodeId.FromBytes(bytes);
    }
}
