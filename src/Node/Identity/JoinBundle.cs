using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace ChordChat.Node.Identity;

/// <summary>Everything a new member's folder holds, sealed for the holder of its token: the node that keeps it cannot
/// read it.</summary>
/// <param name="Genesis">The bytes of cluster.json.</param>
/// <param name="Secret">The secret of the cluster's beacons.</param>
internal sealed record JoinBundle(NewIdentity Identity, byte[] Genesis, byte[] Secret)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    public byte[] Seal(JoinToken token)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(this);
        var result = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(result.AsSpan(0, NonceBytes));
        using var aes = new AesGcm(token.BundleKey, TagBytes);
        aes.Encrypt(
            result.AsSpan(0, NonceBytes), plain,
            result.AsSpan(NonceBytes + TagBytes), result.AsSpan(NonceBytes, TagBytes),
            Encoding.ASCII.GetBytes(token.BundleId));
        return result;
    }

    /// <summary>Null when it was not sealed for this token, or was changed on its way.</summary>
    public static JoinBundle? Open(ReadOnlySpan<byte> bundle, JoinToken token)
    {
        if (bundle.Length < NonceBytes + TagBytes)
            return null;
        var plain = new byte[bundle.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(token.BundleKey, TagBytes);
        try
        {
            aes.Decrypt(
                bundle[..NonceBytes], bundle[(NonceBytes + TagBytes)..], bundle.Slice(NonceBytes, TagBytes), plain,
                Encoding.ASCII.GetBytes(token.BundleId));
            return JsonSerializer.Deserialize<JoinBundle>(plain);
        }
        catch (Exception e) when (e is CryptographicException or JsonException)
        {
            return null;
        }
    }
}
