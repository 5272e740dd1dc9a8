using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keyrings;
using ChordChat.Crypto.Sessions;
using ChordChat.Node.Chat;
using ChordChat.Tests.Unit.Crypto;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Fuzz;

/// <summary>docs/protocol.md#bad-input, for sealed and signed things from end to end; their parsers by themselves are
/// fuzzed in <see cref="ParserFuzzTests"/>.</summary>
public class SealedFuzzTests
{
    [Fact]
    public void Envelopes()
    {
        var envelope = Seal(Hello()).Envelope;
        byte[][] corpus = [envelope];
        FuzzRun.Rounds(600, random => Mutation.Of(corpus, random), bytes =>
        {
            if (OpenAsBob(bytes) is not null)
                Assert.Equal(envelope, bytes);
        }, Convert.ToHexString);
    }

    [Fact]
    public void Key_logs()
    {
        byte[][] corpus = [AliceEntry.Bytes.ToArray(), BobEntry.Bytes.ToArray()];
        FuzzRun.Rounds(2_000, random => Mutation.Of(corpus, random), bytes =>
        {
            Assert.True(KeyLog.VerifyNext(Cluster, "alice", null, bytes) is null || bytes.SequenceEqual(corpus[0]));
            Assert.Null(KeyLog.VerifyNext(OtherCluster, "alice", null, bytes));
            Assert.Null(KeyLog.VerifyNext(Cluster, "alice", AliceEntry, bytes));
        }, Convert.ToHexString);
    }

    [Fact]
    public void Sealed_keyrings()
    {
        var ring = Keyring.Create(AliceIdentity, Alice1); // Not disposed of: the keys are all tests'.
        var code = RecoveryCode.New();
        var blob = KeyringBlob.SealForRecovery(Cluster, "alice", ring, code);
        FuzzRun.Rounds(600, random => Mutation.Of([blob], random), bytes =>
        {
            using var opened = KeyringBlob.Recover(Cluster, "alice", code, bytes);
            Assert.True(opened is null || bytes.SequenceEqual(blob));
        }, Convert.ToHexString);
    }

    [Fact]
    public void Session_proofs_and_tickets()
    {
        var (node, nonce) = (new byte[32], new byte[32]);
        var proof = SessionProof.Sign(Alice1.Signing, Cluster, node, "alice", 1, nonce, nonce);
        FuzzRun.Rounds(1_500, random => Mutation.Of([proof], random), bytes =>
        {
            var good = SessionProof.Verify(
                AliceEntry.DeviceKey, Cluster, node, "alice", 1, nonce, nonce, bytes);
            Assert.True(!good || bytes.Length == 64);
        }, Convert.ToHexString);
        var identity = new ChatIdentity
        {
            Self = new(default, default, "n1", ""),
            Cluster = Cluster,
            Authority = default,
            TicketKey = new byte[32],
        };
        var tickets = new Tickets(identity, new ChatOptions(), new ChatClock(TimeProvider.System));
        var ticket = tickets.Issue("alice", 3);
        FuzzRun.Rounds(5_000, random => Mutation.Of([ticket], random), bytes =>
            Assert.Equal(bytes.SequenceEqual(ticket), tickets.IsGood(bytes, "alice", 3)), Convert.ToHexString);
    }
}
