using System.Security.Cryptography;
using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.Passwords;

/// <summary>
/// Seals what a client keeps on its own disk: its device keys, its history. docs/e2e.md, Local records.
/// </summary>
public sealed class LocalKey : IDisposable
{
    public const int Bytes = 32;

    private const int SaltBytes = 32;

    private readonly byte[] _key;

    private LocalKey(byte[] key) => _key = key;

    /// <summary>A random key, for a client that keeps it in a place that only its user can read.</summary>
    public static LocalKey New() => new(RandomNumberGenerator.GetBytes(Bytes));

    /// <param name="key">32 bytes; a copy is taken.</param>
    public static LocalKey FromBytes(ReadOnlySpan<byte> key) => key.Length == Bytes
        ? new(key.ToArray())
        : throw new ArgumentException($"a local key has {Bytes} bytes, not {key.Length}", nameof(key));

    /// <summary>A copy of the key; a secret that the caller zeroes.</summary>
    public byte[] Export() => [.. _key];

    /// <param name="name">What is sealed, in the caller's words; it opens under this name only.</param>
    /// <returns>"CCLR" u8 1 | salt[32] | box: 85 bytes more than the plaintext.</returns>
    public byte[] Seal(string name, ReadOnlySpan<byte> plaintext) =>
        Seal(name, plaintext, RandomNumberGenerator.GetBytes(SaltBytes));

    /// <returns>The plaintext; null for any damage, another name and another key alike.</returns>
    public byte[]? Open(string name, ReadOnlySpan<byte> record)
    {
        var reader = new Reader(record);
        reader.Expect("CCLR"u8);
        reader.Expect([1]);
        var salt = reader.Raw(SaltBytes);
        var prefix = record[..reader.Position];
        var box = reader.Raw(record.Length - reader.Position);
        return reader.AtEnd ? CommittingSeal.Open(_key, salt, Labels.Local, NameBytes(name), prefix, box) : null;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);

    internal byte[] Seal(string name, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> salt)
    {
        var prefix = new Writer().Raw("CCLR"u8).U8(1).Raw(salt).Finish();
        return [.. prefix, .. CommittingSeal.Seal(_key, salt, Labels.Local, NameBytes(name), prefix, plaintext)];
    }

    private static byte[] NameBytes(string name) => System.Text.Encoding.UTF8.GetBytes(name);
}
