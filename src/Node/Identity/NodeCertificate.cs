using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ChordChat.Core.Ring;
using ChordChat.Crypto;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Identity;

/// <summary>What a node's certificate says of it. The id and the position are computed here, never taken from a
/// message.</summary>
/// <param name="Cluster">16 bytes.</param>
internal sealed record NodeCertificate(NodeId Node, RingId Position, string Name, ImmutableArray<byte> Cluster)
{
    public const int SaltBytes = 16;

    /// <summary>Reads the certificate, or null when it is not a node's. Whether the authority issued it is for
    /// <see cref="ClusterTrust"/> to say.</summary>
    public static NodeCertificate? Read(X509Certificate2 certificate)
    {
        try
        {
            if (CertificateName.Of(certificate) is not { } name || name.Role.Length != 2 * SaltBytes)
                return null;
            var cluster = Convert.FromHexString(name.Cluster);
            if (cluster.Length != Genesis.ClusterBytes)
                return null;
            var node = IdOf(certificate.PublicKey);
            var position = RingId.OfNode(cluster, node, Convert.FromHexString(name.Role));
            var commonName = certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
            return new(node, position, commonName, [.. cluster]);
        }
        catch (Exception e) when (e is FormatException or CryptographicException or AsnContentException)
        {
            return null;
        }
    }

    public static NodeId IdOf(PublicKey key) => NodeId.FromBytes(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));

    /// <summary>Whose the database beside this certificate has to be.</summary>
    public DatabaseOwner Owner => new(Convert.ToHexStringLower(Cluster.AsSpan()), Node.ToString());

    public Peer At(string address) => new(Node, Position, Name, address);
}
