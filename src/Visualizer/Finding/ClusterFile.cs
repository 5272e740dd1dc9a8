using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace ChordChat.Visualizer.Finding;

/// <summary>The file that startup writes for programs on the same machine.</summary>
/// <param name="Nodes">Addresses of the cluster's nodes.</param>
/// <param name="Authority">The certificate of the cluster's authority, DER; null when the file has none.</param>
internal sealed record ClusterFile(IReadOnlyList<string> Nodes, byte[]? Authority)
{
    public static ClusterFile Nothing { get; } = new([], null);

    /// <summary>Reads {"nodes":[{"name","address"}],"authority"}; a file that is not there yet is nothing.</summary>
    /// <remarks>The authority is PEM, base64 of DER, or the path of a file with either.</remarks>
    public static ClusterFile Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path), Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or JsonException
            or FormatException or CryptographicException or InvalidOperationException or KeyNotFoundException)
        {
            // Half written, perhaps: it is read again at the next attempt.
            return Nothing;
        }
    }

    /// <param name="folder">Where a path in the file starts from.</param>
    public static ClusterFile Parse(string json, string folder)
    {
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        List<string> nodes = [];
        if (root.TryGetProperty("nodes", out var list))
            nodes.AddRange(list.EnumerateArray()
                .Select(node => node.GetProperty("address").GetString() ?? "")
                .Where(Addresses.IsAddress));
        var authority = root.TryGetProperty("authority", out var text) && text.GetString() is { Length: > 0 } written
            ? AuthorityOf(written, folder)
            : null;
        return new(nodes, authority);
    }

    private static byte[] AuthorityOf(string written, string folder)
    {
        if (written.Contains("-----BEGIN", StringComparison.Ordinal))
            return X509Certificate2.CreateFromPem(written).RawData;
        var path = Path.Combine(folder, written);
        if (written.Length < 1024 && File.Exists(path))
            return X509CertificateLoader.LoadCertificateFromFile(path).RawData;
        return X509CertificateLoader.LoadCertificate(Convert.FromBase64String(written)).RawData;
    }
}
