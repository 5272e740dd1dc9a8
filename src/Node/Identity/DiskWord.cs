using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Tiles.Disks;

namespace ChordChat.Node.Identity;

/// <summary>A node's signature under what it says of its disk: whoever shows it that word later shows something that
/// nobody else can have made up.</summary>
/// <remarks>docs/protocol.md#what-a-member-may-ask.</remarks>
internal sealed class DiskWord(NodeIdentity identity, TimeProvider time)
{
    /// <summary>Probes carry a fresh signature no more often.</summary>
    private static readonly TimeSpan SignEvery = TimeSpan.FromMilliseconds(500);

    private readonly Lock _turn = new();
    private (DiskSighting Of, byte[] Signature) _last;
    private long _signedAt;

    public byte[] Sign(DiskSighting own)
    {
        lock (_turn)
        {
            if (_last.Signature is not null && _last.Of == own)
                return _last.Signature;
            using var key = identity.Certificate.GetECDsaPrivateKey()!;
            _last = (own, key.SignData(BytesOf(own), HashAlgorithmName.SHA256));
            _signedAt = time.GetTimestamp();
            return _last.Signature;
        }
    }

    /// <summary>The same, or nothing while the last one is fresh.</summary>
    public byte[] SignNowAndThen(DiskSighting own)
    {
        lock (_turn)
            return _last.Signature is not null && _last.Of != own && time.GetElapsedTime(_signedAt) < SignEvery
                ? []
                : Sign(own);
    }

    /// <summary>Whether this node itself has said so.</summary>
    public bool IsOwn(DiskSighting seen, ReadOnlySpan<byte> signature)
    {
        using var key = identity.Certificate.GetECDsaPublicKey()!;
        return key.VerifyData(BytesOf(seen), signature, HashAlgorithmName.SHA256);
    }

    private byte[] BytesOf(DiskSighting seen)
    {
        var numbers = new byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(numbers, seen.Incarnation);
        BinaryPrimitives.WriteUInt64BigEndian(numbers.AsSpan(8), seen.BootNonce);
        BinaryPrimitives.WriteUInt64BigEndian(numbers.AsSpan(16), seen.DurableSeq);
        return [.. "chordchat disk 1\n"u8, .. identity.Self.Cluster, .. identity.Self.Node.ToBytes(), .. numbers];
    }
}

/// <summary>A sighting with the signature of the node that it is of.</summary>
internal readonly record struct SignedSighting(DiskSighting Seen, ReadOnlyMemory<byte> Signature);
