using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ChordChat.Visualizer.Trust;

/// <summary>The certificate with which nodes name who is online, as 'chordchat-node cluster viewer' writes
/// it.</summary>
internal static class ViewerCertificate
{
    /// <summary>Reads it anew, for a start of the cluster may have renewed it.</summary>
    /// <returns>Null without a folder, or when its files cannot be read: the page then shows numbers.</returns>
    public static X509Certificate2? Read(string? folder)
    {
        if (folder is null)
            return null;
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(
                Path.Combine(folder, "viewer.crt"), Path.Combine(folder, "viewer.key"));
            if (!OperatingSystem.IsWindows())
                return certificate;
            using (certificate) // Windows' TLS cannot use a key that lives in this process only.
                return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return null;
        }
    }
}
