using ChordChat.Core.Tiles;
using ChordChat.Crypto;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Unit.Chat;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#bad-input, for what nodes say to each other of sessions, and what clients and nodes
/// exchange.</summary>
public class ChatFuzzTests
{
    internal static readonly ChatIdentity Nobody = new()
    {
        Self = new(new(0, 1), default, "n1", ""),
        Cluster = ClusterId.New(),
        Authority = default,
        TicketKey = default,
    };

    [Fact]
    public void Calls_of_the_chat()
    {
        var (proofs, clock, none) = (new ClientProofs(Nobody), new ChatClock(TimeProvider.System), new NoRegisters());
        var judge = new ShownHelloJudge(
            new AccountGlimpses(none), new KeyLogReader(none, none, proofs), proofs, clock);
        var chat = new PeerChatAnswers(
            new PeerRequests(new SessionTable(), new NoMail(), proofs, clock),
            new ShownSessions(judge, proofs, clock),
            new TileDirectory(0, [new TileConfiguration(new(0, 0), 0, 1, [new(1, 1)])]),
            new TileBoard());
        FuzzRun.Rounds(
            20_000, WireSamples.Of<Call>, call => chat.Answer(Nobody.Self.Node, call), WireSamples.Show,
            typeof(MalformedException));
    }

    [Fact]
    public void Answers_of_the_chat() => FuzzRun.Rounds(
        20_000, WireSamples.Of<Answer>, answer =>
        {
            var expected = answer.RenewLeases?.Leases.Count ?? 0;
            Assert.All(answer.RenewLeases?.ToCore(expected) ?? [], lease => Assert.True(lease.PendingCount >= 0));
            answer.FindLease?.ToCore();
            answer.FindHello?.ToCore();
            answer.ListSessions?.ToCore();
            Assert.True((answer.CountGuess?.ToCore() ?? default) >= TimeSpan.Zero);
            answer.Deliver?.ToCore();
        }, WireSamples.Show, typeof(MalformedException));

    [Fact]
    public void Frames_of_clients_and_nodes()
    {
        Frames(ClientFrame.Parser);
        Frames(NodeFrame.Parser);
        Frames(Snapshot.Parser);
        Frames(TraceReply.Parser);
        Frames(ClusterInfo.Parser);
        Frames(RegisterRequest.Parser);
        Frames(LogInReply.Parser);
    }

    private static void Frames<T>(MessageParser<T> parser)
        where T : class, IMessage<T>, new() => FuzzRun.Bytes(
            WireSamples.Corpus<T>(20), 2_000, bytes =>
            {
                var message = WireSamples.Parse(parser, bytes);
                Assert.Equal(message.CalculateSize(), message.ToByteArray().Length);
            }, typeof(InvalidProtocolBufferException), typeof(InvalidDataException));

    private sealed class NoMail : IMailboxCounts
    {
        public int PendingCount(string user) => 0;
    }
}
