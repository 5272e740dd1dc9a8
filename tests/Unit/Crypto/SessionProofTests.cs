using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Sessions;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Session: a proof is for one node, one challenge and one device.</summary>
public class SessionProofTests
{
    private static readonly byte[] Node = Filled(1), NodeNonce = Filled(2), ClientNonce = Filled(3);

    private static readonly byte[] Proof =
        SessionProof.Sign(Alice1.Signing, Cluster, Node, "alice", 1, NodeNonce, ClientNonce);

    private static readonly DevicePublicKey Key = AliceEntry.DeviceKey;

    [Fact]
    public void A_proof_holds_for_what_it_was_made_for() =>
        Assert.True(SessionProof.Verify(Key, Cluster, Node, "alice", 1, NodeNonce, ClientNonce, Proof));

    [Fact]
    public void A_proof_relayed_to_another_node_or_cluster_is_refused()
    {
        Assert.False(SessionProof.Verify(Key, Cluster, Filled(9), "alice", 1, NodeNonce, ClientNonce, Proof));
        Assert.False(SessionProof.Verify(Key, OtherCluster, Node, "alice", 1, NodeNonce, ClientNonce, Proof));
    }

    [Fact]
    public void A_proof_for_another_challenge_is_refused()
    {
        Assert.False(SessionProof.Verify(Key, Cluster, Node, "alice", 1, Filled(9), ClientNonce, Proof));
        Assert.False(SessionProof.Verify(Key, Cluster, Node, "alice", 1, NodeNonce, Filled(9), Proof));
    }

    [Fact]
    public void A_proof_of_another_user_epoch_or_device_is_refused()
    {
        Assert.False(SessionProof.Verify(Key, Cluster, Node, "bob", 1, NodeNonce, ClientNonce, Proof));
        Assert.False(SessionProof.Verify(Key, Cluster, Node, "alice", 2, NodeNonce, ClientNonce, Proof));
        Assert.False(SessionProof.Verify(BobEntry.DeviceKey, Cluster, Node, "alice", 1, NodeNonce, ClientNonce, Proof));
    }

    [Fact]
    public void Lengths_that_cannot_be_are_refused_and_not_thrown()
    {
        Assert.False(SessionProof.Verify(Key, Cluster, Node.AsSpan(1), "alice", 1, NodeNonce, ClientNonce, Proof));
        Assert.False(SessionProof.Verify(Key, Cluster, Node, "Alice", 1, NodeNonce, ClientNonce, Proof));
        Assert.False(SessionProof.Verify(Key, Cluster, Node, "alice", 1, [], ClientNonce, Proof));
        Assert.False(SessionProof.Verify(Key, Cluster, Node, "alice", 1, NodeNonce, ClientNonce, []));
        Assert.All(Damage.BitFlips(Proof), damaged => Assert.False(
            SessionProof.Verify(Key, Cluster, Node, "alice", 1, NodeNonce, ClientNonce, damaged)));
    }

    private static byte[] Filled(byte value) => [.. Enumerable.Repeat(value, 32)];
}
