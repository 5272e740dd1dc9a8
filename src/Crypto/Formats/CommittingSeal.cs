using System.Security.Cryptography;

namespace ChordChat.Crypto.Formats;

/// <summary>AES-256-GCM that commits to its key. docs/e2e.md, Committing seal.</summary>
/// <remarks>
/// okm = HKDF-SHA256(key, salt, L(label) || context, 76): commitment 32, key 32, nonce 12; box = commitment ||
/// ciphertext || tag. A pair of key and salt seals one plaintext only, so a nonce never repeats. The commitment is
/// there because GCM alone lets one ciphertext open under two keys (Len, Grubbs, Ristenpart, USENIX Security 2021).
/// </remarks>
internal static class CommittingSeal
{
    /// <summary>A box is this many bytes longer than its plaintext.</summary>
    public const int OverheadBytes = CommitmentBytes + TagBytes;

    private const int CommitmentBytes = 32;
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    public static byte[] Seal(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, byte[] label, ReadOnlySpan<byte> context,
        ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext)
    {
        Span<byte> okm = stackalloc byte[CommitmentBytes + KeyBytes + NonceBytes];
        Derive(key, salt, label, context, okm);
        var box = new byte[plaintext.Length + OverheadBytes];
        okm[..CommitmentBytes].CopyTo(box);
        using (var aes = new AesGcm(okm.Slice(CommitmentBytes, KeyBytes), TagBytes))
        {
            aes.Encrypt(
                okm[^NonceBytes..], plaintext, box.AsSpan(CommitmentBytes, plaintext.Length),
                box.AsSpan(box.Length - TagBytes), associated);
        }

        CryptographicOperations.ZeroMemory(okm);
        return box;
    }

    /// <returns>The plaintext, which the caller zeroes; null for any damage and for a wrong key alike.</returns>
    public static byte[]? Open(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, byte[] label, ReadOnlySpan<byte> context,
        ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box)
    {
        if (box.Length < OverheadBytes)
            return null;
        Span<byte> okm = stackalloc byte[CommitmentBytes + KeyBytes + NonceBytes];
        Derive(key, salt, label, context, okm);
        try
        {
            if (!CryptographicOperations.FixedTimeEquals(okm[..CommitmentBytes], box[..CommitmentBytes]))
                return null;
            var plaintext = new byte[box.Length - OverheadBytes];
            using var aes = new AesGcm(okm.Slice(CommitmentBytes, KeyBytes), TagBytes);
            aes.Decrypt(okm[^NonceBytes..], box[CommitmentBytes..^TagBytes], box[^TagBytes..], plaintext, associated);
            return plaintext;
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(okm);
        }
    }

    private static void Derive(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, byte[] label, ReadOnlySpan<byte> context, Span<byte> okm) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, okm, salt, [.. label, .. context]);
}
