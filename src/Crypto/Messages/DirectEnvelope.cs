using System.Security.Cryptography;
using ChordChat.Crypto.Formats;
using ChordChat.Crypto.Keys;

namespace ChordChat.Crypto.Messages;

/// <summary>Seals and opens messages between two people. docs/e2e.md, Direct envelope.</summary>
/// <remarks>
/// Signed inside, sealed outside, and the signature covers the outer prefix with its recipients: nobody can strip and
/// replace the signature (iMessage, 2016) or pass the inner message on as if to another (Davis, 2001).
/// </remarks>
public static class DirectEnvelope
{
    private const int KeyBytes = 32;

    /// <summary>Seals a message for its recipient and for its sender's own history: about 0.3 ms.</summary>
    /// <param name="id">Fresh for every message.</param>
    /// <param name="device">The sender's, of epoch <see cref="DirectMessage.FromEpoch"/>.</param>
    /// <param name="recipient">EK of <see cref="DirectMessage.ToEntry"/>.</param>
    /// <param name="self">EK of <see cref="DirectMessage.FromEntry"/>.</param>
    /// <exception cref="ArgumentException">A name is not valid, or the content is empty or too long.</exception>
    public static SealedMessage Seal(
        ClusterId cluster, EnvelopeId id, DirectMessage message, DeviceKey device, EncryptionPublicKey recipient,
        EncryptionPublicKey self, bool doNotStore = false)
    {
        var cek = RandomNumberGenerator.GetBytes(KeyBytes);
        ReadOnlySpan<EncryptionPublicKey> keys = recipient.Id == self.Id ? [recipient] : [recipient, self];
        var wraps = new (Digest, byte[])[keys.Length];
        for (var i = 0; i < keys.Length; i++)
            wraps[i] = (keys[i].Id, keys[i].Wrap(WrapPurpose.DirectMessage, cek));
        var conversation = Conversation.Between(cluster, message.From, message.To);
        var prefix = EnvelopeHeader.Write(cluster, conversation, id, doNotStore, wraps);
        var body = message.Write();
        var prefixHash = PrefixHashOf(prefix);
        var signature = device.Sign(Labels.SignDirect, [.. prefixHash, .. body]);
        var envelope = Assemble(prefix, prefixHash, id, cek, body, signature);
        CryptographicOperations.ZeroMemory(cek);
        var bodyHash = BodyHashOf(body);
        CryptographicOperations.ZeroMemory(body);
        return new(id, envelope, bodyHash);
    }

    /// <summary>
    /// Opens an envelope that is for this user or by this user: about 2.5 ms, for the RSA private key.
    /// </summary>
    /// <param name="me">Whose client this is.</param>
    /// <param name="findKey">Own private keys by ekId, old epochs included; null for a key that is not there.</param>
    /// <returns>
    /// Who it claims to be from, to be verified before anything else of it is seen. Null for any damage, for another
    /// cluster, and for a message that is not for this user: drop it silently, count it, never answer.
    /// </returns>
    public static UnverifiedMessage? Open(
        ReadOnlySpan<byte> envelope, ClusterId cluster, string me, Func<Digest, EncryptionKey?> findKey)
    {
        if (EnvelopeHeader.TryParse(envelope) is not { } header || header.Cluster != cluster)
            return null;
        Span<byte> cek = stackalloc byte[KeyBytes];
        if (!TryUnwrap(header, envelope, findKey, cek))
            return null;
        var opened = OpenBox(header, envelope, cek, me);
        CryptographicOperations.ZeroMemory(cek);
        return opened;
    }

    /// <summary>Everything after the unwrapping: no RSA.</summary>
    internal static UnverifiedMessage? OpenBox(
        EnvelopeHeader header, ReadOnlySpan<byte> envelope, ReadOnlySpan<byte> cek, string me)
    {
        var prefix = envelope[..header.PrefixBytes];
        var prefixHash = PrefixHashOf(prefix);
        var box = envelope[(header.PrefixBytes + 4)..];
        var padded = CommittingSeal.Open(cek, header.Id.ToBytes(), Labels.Direct, prefixHash, prefix, box);
        if (padded is null)
            return null;
        var opened = TryRead(header, prefixHash, padded, me);
        CryptographicOperations.ZeroMemory(padded);
        return opened;
    }

    internal static byte[] PrefixHashOf(ReadOnlySpan<byte> prefix) => Digest.Of(Labels.DirectPrefix, prefix).ToBytes();

    internal static Digest BodyHashOf(ReadOnlySpan<byte> body) => Digest.Of(Labels.DirectBody, body);

    /// <summary>Puts an envelope together from parts that are already made.</summary>
    internal static byte[] Assemble(
        byte[] prefix, byte[] prefixHash, EnvelopeId id, ReadOnlySpan<byte> cek, byte[] body, byte[] signature)
    {
        var plain = new Writer(4 + body.Length + signature.Length).B32(body).Raw(signature).Finish();
        var padded = Padding.Pad(plain, Padding.Bucket(plain.Length));
        var box = CommittingSeal.Seal(cek, id.ToBytes(), Labels.Direct, prefixHash, prefix, padded);
        CryptographicOperations.ZeroMemory(plain);
        CryptographicOperations.ZeroMemory(padded);
        return new Writer(prefix.Length + 4 + box.Length).Raw(prefix).B32(box).Finish();
    }

    internal static bool Verify(DevicePublicKey device, byte[] prefixHash, byte[] body, byte[] signature) =>
        device.Verify(Labels.SignDirect, [.. prefixHash, .. body], signature);

    private static bool TryUnwrap(
        EnvelopeHeader header, ReadOnlySpan<byte> envelope, Func<Digest, EncryptionKey?> findKey, Span<byte> cek)
    {
        for (var i = 0; i < header.Recipients.Length; i++)
        {
            if (findKey(header.Recipients[i]) is { } key)
                return key.TryUnwrap(WrapPurpose.DirectMessage, header.WrapOf(i, envelope), cek);
        }

        return false;
    }

    private static UnverifiedMessage? TryRead(EnvelopeHeader header, byte[] prefixHash, byte[] padded, string me)
    {
        var length = Padding.LengthOf(padded);
        if (length < 0 || Padding.Bucket(length) != padded.Length)
            return null;
        var reader = new Reader(padded.AsSpan(0, length));
        var body = reader.B32(length);
        var signature = reader.Raw(DevicePublicKey.SignatureBytes);
        return reader.AtEnd && DirectMessage.TryRead(body) is { } message
            && (message.To == me || message.From == me)
            && header.IsBetween(header.Cluster, message.From, message.To)
            ? new(header, message, prefixHash, body.ToArray(), signature.ToArray(), me)
            : null;
    }
}
