using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace ChordChat.Sdk.Nodes;

/// <summary>What the startup script leaves for clients: addresses, and the authority to expect there.</summary>
/// <param name="Addresses">host:port of each node.</param>
/// <param name="Authority">The cluster CA's certificate, DER; null when the file names none.</param>
public sealed record ClusterFile(IReadOnlyList<string> Addresses, byte[]? Authority)
{
    /// <summary>Reads <c>{"nodes":[{"name","address"}],"authority":"PEM or DER in base64"}</c>.</summary>
    /// <exception cref="ChordChatException">The file cannot be read or is not of that shape.</exception>
    public static ClusterFile Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            var root = document.RootElement;
            var addresses = root.GetProperty("nodes").EnumerateArray()
                .Select(node => node.GetProperty("address").GetString()!)
                .ToList();
            return new ClusterFile(addresses, root.TryGetProperty("authority", out var text) ? Parse(text) : null);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or JsonException
            or KeyNotFoundException or InvalidOperationException or FormatException or CryptographicException)
        {
            throw new ChordChatException(
                "bad_cluster_file", $"the cluster file {path} cannot be used: {cause.Message}",
                "start the cluster again, or unset CHORDCHAT_CLUSTER and name a node with --node HOST:PORT", cause);
        }
    }

    private static byte[]? Parse(JsonElement element)
    {
        if (element.GetString() is not { Length: > 0 } text)
            return null;
        using var certificate = text.StartsWith("-----", StringComparison.Ordinal)
            ? X509Certificate2.CreateFromPem(text)
            : X509CertificateLoader.LoadCertificate(Convert.FromBase64String(text));
        return certificate.RawData;
    }
}
