using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ChordChat.Node.Base;

namespace ChordChat.Node.Identity;

/// <summary>What a new member needs to get in, as one word: whom to ask, whom to trust, and the key to its
/// identity.</summary>
/// <param name="Fingerprint">SHA-256 of the authority's certificate.</param>
/// <param name="Secret">16 random bytes; the token's holder alone can open the bundle.</param>
/// <param name="Name">The name the new node will have.</param>
/// <param name="Address">host:port of the node that keeps the bundle.</param>
internal sealed record JoinToken(DateTimeOffset Expires, byte[] Fingerprint, byte[] Secret, string Name, string Address)
{
    private const string Prefix = "chordchat-join-1.";
    private const int SecretBytes = 16;
    private const int FixedBytes = sizeof(long) + SHA256.HashSizeInBytes + SecretBytes;

    public static JoinToken Create(DateTimeOffset expires, ClusterTrust trust, string name, string address) =>
        new(expires, trust.Fingerprint, RandomNumberGenerator.GetBytes(SecretBytes), name, address);

    /// <summary>What the node knows the bundle by; says nothing of the secret.</summary>
    public string BundleId => Convert.ToHexStringLower(Derive("chordchat join id v1"u8, 16));

    public byte[] BundleKey => Derive("chordchat join key v1"u8, 32);

    public static JoinToken? TryParse(string text)
    {
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || !Base64Url.IsValid(text.AsSpan(Prefix.Length)))
            return null;
        ReadOnlySpan<byte> bytes = Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length));
        if (bytes.Length <= FixedBytes)
            return null;
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes);
        if (milliseconds < 0 || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return null;
        var where = Encoding.ASCII.GetString(bytes[FixedBytes..]).Split(' ');
        if (where.Length != 2 || !ClusterPlan.IsName(where[0]) || !HostPort.TryParse(where[1], out _))
            return null;
        return new(
            DateTimeOffset.FromUnixTimeMilliseconds(milliseconds),
            bytes.Slice(sizeof(long), SHA256.HashSizeInBytes).ToArray(),
            bytes.Slice(sizeof(long) + SHA256.HashSizeInBytes, SecretBytes).ToArray(),
            where[0], where[1]);
    }

    public override string ToString()
    {
        var expires = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(expires, Expires.ToUnixTimeMilliseconds());
        return Prefix + Base64Url.EncodeToString(
            (byte[])[.. expires, .. Fingerprint, .. Secret, .. Encoding.ASCII.GetBytes($"{Name} {Address}")]);
    }

    private byte[] Derive(ReadOnlySpan<byte> purpose, int length)
    {
        var derived = new byte[length];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Secret, derived, salt: Fingerprint, info: purpose);
        return derived;
    }
}
