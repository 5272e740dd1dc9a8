using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ChordChat.Crypto;

/// <summary>The name inside a certificate that only this cluster's authority can have given:
/// <c>chordchat://CLUSTER/ROLE</c>, both in hex or a word, as a URI among its alternative names.</summary>
/// <param name="Cluster">32 hex digits.</param>
/// <param name="Role">"authority", "operator", "viewer", or a node's salt in hex.</param>
public readonly record struct CertificateName(string Cluster, string Role)
{
    public const string Authority = "authority";
    public const string Operator = "operator";
    public const string Viewer = "viewer";
    private const string Scheme = "chordchat";
    private const string AlternativeNames = "2.5.29.17";
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    public Uri ToUri() => new($"{Scheme}://{Cluster}/{Role}");

    /// <summary>The first such name, or null: the certificate has nothing to do with any cluster.</summary>
    /// <remarks>Any stranger can present any certificate: one that cannot be read has no name.</remarks>
    public static CertificateName? Of(X509Certificate2 certificate)
    {
        try
        {
            return Read(certificate);
        }
        catch (Exception e) when (e is AsnContentException or CryptographicException)
        {
            return null;
        }
    }

    private static CertificateName? Read(X509Certificate2 certificate)
    {
        if (certificate.Extensions[AlternativeNames] is not { } extension)
            return null;
        var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            if (!tag.HasSameClassAndValue(UriTag))
                names.ReadEncodedValue();
            else if (Uri.TryCreate(
                    names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag), UriKind.Absolute, out var uri)
                && uri.Scheme == Scheme)
                return new(uri.Host, uri.AbsolutePath.TrimStart('/'));
        }

        return null;
    }
}
