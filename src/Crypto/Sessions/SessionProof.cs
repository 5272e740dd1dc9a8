using ChordChat.Crypto.Formats;
using ChordChat.Crypto.Keys;

namespace ChordChat.Crypto.Sessions;

/// <summary>What a client wants of the node to which it proves who it is.</summary>
public enum ProofUse
{
    /// <summary>A session: the node may act for the user at others, and shows them this proof.</summary>
    Session,

    /// <summary>A pass only: worth nothing at other nodes.</summary>
    Pass,
}

/// <summary>How a device proves to one node, once, that it is a user's current device. docs/e2e.md, Session.</summary>
/// <remarks>
/// The node's id and fresh nonce stand in the signature, so no other node can use it, nor open another session with it.
/// </remarks>
public static class SessionProof
{
    public const int NodeIdBytes = 32;
    public const int NonceBytes = 32;

    /// <param name="nodeId">32 bytes, from the node's certificate, not from its word.</param>
    /// <param name="nodeNonce">32 bytes from the node, single use, valid for 10 s.</param>
    /// <param name="clientNonce">32 random bytes of the client.</param>
    /// <returns>64 bytes.</returns>
    public static byte[] Sign(
        DeviceKey device, ClusterId cluster, ReadOnlySpan<byte> nodeId, string user, uint epoch,
        ReadOnlySpan<byte> nodeNonce, ReadOnlySpan<byte> clientNonce, ProofUse use = ProofUse.Session) =>
        AreWellFormed(nodeId, user, nodeNonce, clientNonce)
            ? device.Sign(LabelOf(use), SignedBytes(cluster, nodeId, user, epoch, nodeNonce, clientNonce))
            : throw new ArgumentException("a node id and nonces have 32 bytes each, and a user has a valid name");

    /// <returns>False for any damage.</returns>
    public static bool Verify(
        DevicePublicKey device, ClusterId cluster, ReadOnlySpan<byte> nodeId, string user, uint epoch,
        ReadOnlySpan<byte> nodeNonce, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> signature,
        ProofUse use = ProofUse.Session) =>
        AreWellFormed(nodeId, user, nodeNonce, clientNonce)
        && device.Verify(
            LabelOf(use), SignedBytes(cluster, nodeId, user, epoch, nodeNonce, clientNonce), signature);

    private static byte[] LabelOf(ProofUse use) => use == ProofUse.Pass ? Labels.SignPass : Labels.SignSession;

    private static bool AreWellFormed(
        ReadOnlySpan<byte> nodeId, string user, ReadOnlySpan<byte> nodeNonce, ReadOnlySpan<byte> clientNonce) =>
        nodeId.Length == NodeIdBytes && nodeNonce.Length == NonceBytes && clientNonce.Length == NonceBytes
        && UserName.IsValid(user);

    private static byte[] SignedBytes(
        ClusterId cluster, ReadOnlySpan<byte> nodeId, string user, uint epoch, ReadOnlySpan<byte> nodeNonce,
        ReadOnlySpan<byte> clientNonce) =>
        new Writer().Cluster(cluster).Raw(nodeId).User(user).U32(epoch).Raw(nodeNonce).Raw(clientNonce).Finish();
}
