using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>A certificate and its private key as two PEM files, which every tool can read.</summary>
internal static class CertificateFiles
{
    public static void Write(string folder, string name, X509Certificate2 certificate, ECDsa key)
    {
        PrivateFiles.Write(
            Path.Combine(folder, $"{name}.key"), Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        PrivateFiles.Write(
            Path.Combine(folder, $"{name}.crt"), Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));
    }

    /// <summary>Reads both files; the key must belong to the certificate.</summary>
    /// <exception cref="CryptographicException">They are damaged or do not belong together.</exception>
    public static X509Certificate2 Read(string folder, string name)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, $"{name}.crt"));
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(File.ReadAllText(Path.Combine(folder, $"{name}.key")));
            return WithKey(certificate, key);
        }
        catch (ArgumentException e)
        {
            throw new CryptographicException($"{name}.key does not belong to {name}.crt or is damaged", e);
        }
    }

    /// <summary>Joins the two so that TLS can use them.</summary>
    public static X509Certificate2 WithKey(X509Certificate2 certificate, ECDsa key)
    {
        var joined = certificate.CopyWithPrivateKey(key);
        if (!OperatingSystem.IsWindows())
            return joined;
        using (joined) // Windows' TLS cannot use a key that lives in this process only.
            return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pfx), null);
    }
}
