using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Identity;

/// <summary>cluster.json: the genesis as text that people can read, the authority's certificate and its
/// signature.</summary>
/// <remarks>The signature is over the exact bytes of the "genesis" value, so no second form of it has to
/// agree.</remarks>
internal static class GenesisFile
{
    public const string FileName = "cluster.json";

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static byte[] Write(Genesis genesis, ClusterAuthority authority)
    {
        var text = Encoding.UTF8.GetBytes(
            JsonSerializer.Serialize(ToJson(genesis), Format).ReplaceLineEndings("\n  ")); // Indented where it stands.
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteBase64String("authority", authority.Certificate.RawData);
            json.WriteBase64String("signature", authority.Sign(SignedBytes(text)));
            json.WritePropertyName("genesis");
            json.WriteRawValue(text);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>Reads and checks the file.</summary>
    /// <exception cref="FormatException">It is not what an authority signed; the text says what is wrong with
    /// it.</exception>
    public static (Genesis Genesis, X509Certificate2 Authority) Read(ReadOnlyMemory<byte> file)
    {
        try
        {
            using var document = JsonDocument.Parse(file);
            var root = document.RootElement;
            if (root.GetProperty("version").GetInt32() is var version and not 1)
                throw new FormatException($"its version is {version}; this program knows version 1");
            var authority = X509CertificateLoader.LoadCertificate(root.GetProperty("authority").GetBytesFromBase64());
            var text = Encoding.UTF8.GetBytes(root.GetProperty("genesis").GetRawText());
            using var key = authority.GetECDsaPublicKey()
                ?? throw new FormatException("its authority has no P-256 key");
            if (!key.VerifyData(
                    SignedBytes(text), root.GetProperty("signature").GetBytesFromBase64(), HashAlgorithmName.SHA256))
                throw new FormatException("its signature is wrong: somebody changed it");
            var genesis = JsonSerializer.Deserialize<GenesisJson>(text, Format)
                ?? throw new FormatException("it is empty");
            return (FromJson(genesis), authority);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or CryptographicException or ArgumentException)
        {
            throw new FormatException($"it cannot be read: {e.Message}", e);
        }
    }

    private static byte[] SignedBytes(byte[] genesis) => [.. "chordchat genesis v1\n"u8, .. genesis];

    private static GenesisJson ToJson(Genesis genesis) => new(
        genesis.ClusterHex, genesis.Created, genesis.BackupCount, genesis.TileBits, genesis.Policy, genesis.Demo,
        [.. genesis.Founders.Select(f => new FounderJson(
            f.Name, f.Node.ToString(), f.Position.ToString(), Convert.ToHexStringLower(f.Salt.AsSpan())))]);

    private static Genesis FromJson(GenesisJson json) => new()
    {
        Cluster = [.. Convert.FromHexString(json.Cluster)],
        Created = json.Created,
        BackupCount = json.BackupCount,
        TileBits = json.TileBits,
        Policy = json.Policy,
        Demo = json.Demo,
        Founders = [.. json.Founders.Select(FromJson)],
    };

    private static Founder FromJson(FounderJson? json) => json is null
        ? throw new FormatException("a founder is missing")
        : new(
        json.Name,
        NodeId.FromBytes(Convert.FromHexString(json.Node)),
        RingId.FirstBytes(Convert.FromHexString(json.Position)),
        ImmutableArray.Create(Convert.FromHexString(json.Salt)));

    private sealed record GenesisJson(
        string Cluster, DateTimeOffset Created, int BackupCount, int TileBits, SessionPolicy Policy, bool Demo,
        FounderJson[] Founders);

    private sealed record FounderJson(string Name, string Node, string Position, string Salt);
}
