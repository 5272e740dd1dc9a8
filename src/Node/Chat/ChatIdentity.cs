using System.Security.Cryptography;
using ChordChat.Core.Ring;
using ChordChat.Crypto;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Chat;

/// <summary>What the chat must know of its node and of its cluster. The host makes it from the node's folder.</summary>
internal sealed record ChatIdentity
{
    public required Peer Self { get; init; }
    public required ClusterId Cluster { get; init; }

    /// <summary>The certificate of the cluster's authority, DER; clients pin it.</summary>
    public required ReadOnlyMemory<byte> Authority { get; init; }

    /// <summary>32 secret bytes, the same on every node: with them any node accepts another node's tickets.</summary>
    public required ReadOnlyMemory<byte> TicketKey { get; init; }

    public SessionPolicy Policy { get; init; } = SessionPolicy.Takeover;

    /// <summary>K + 1.</summary>
    public int Copies { get; init; } = 3;

    /// <summary>A cluster to play with: its clients accept short passwords.</summary>
    public bool IsDemo { get; init; }

    public static ChatIdentity Of(NodeIdentity identity, Peer self) => new()
    {
        Self = self,
        Cluster = ClusterId.FromBytes(identity.Genesis.Cluster.AsSpan()),
        Authority = identity.Trust.Authority.RawData,
        TicketKey = TicketKeyOf(identity.Secret),
        Policy = identity.Genesis.Policy,
        Copies = identity.Genesis.BackupCount + 1,
        IsDemo = identity.Genesis.Demo,
    };

    /// <param name="secret">Which all nodes of the cluster know, and its operator.</param>
    public static byte[] TicketKeyOf(byte[] secret) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, secret, 32, info: "chordchat/tickets"u8.ToArray());
}
