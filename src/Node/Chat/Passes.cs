using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChordChat.Core.Chat;

namespace ChordChat.Node.Chat;

/// <summary>What shows at any node that somebody has an account here: docs/protocol.md#passes.</summary>
/// <remarks>8 bytes of expiry (Unix time, ms), 24 of HMAC-SHA256 under the cluster's ticket key, the user's name:
/// nothing is kept.</remarks>
internal sealed class Passes(ChatIdentity identity, ChatClock clock)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    private const int ExpiryBytes = 8;
    private const int MacBytes = 24;

    /// <param name="user">Whose device has just signed a hello, or whose password was right.</param>
    public byte[] Issue(string user)
    {
        Span<byte> expiry = stackalloc byte[ExpiryBytes];
        BinaryPrimitives.WriteInt64BigEndian(expiry, clock.Unix + (long)Lifetime.TotalMilliseconds);
        var name = Encoding.ASCII.GetBytes(user);
        return [.. expiry, .. Mac(expiry, name), .. name];
    }

    /// <returns>Null for what no node of this cluster has made, or has expired.</returns>
    public string? HolderOf(ReadOnlySpan<byte> pass)
    {
        if (pass.Length <= ExpiryBytes + MacBytes || pass.Length > ExpiryBytes + MacBytes + UserName.LengthMax)
            return null;
        var expiry = pass[..ExpiryBytes];
        var name = pass[(ExpiryBytes + MacBytes)..];
        return CryptographicOperations.FixedTimeEquals(Mac(expiry, name), pass.Slice(ExpiryBytes, MacBytes))
            && BinaryPrimitives.ReadInt64BigEndian(expiry) > clock.Unix
                ? Encoding.ASCII.GetString(name)
                : null;
    }

    private ReadOnlySpan<byte> Mac(ReadOnlySpan<byte> expiry, ReadOnlySpan<byte> name)
    {
        byte[] data = [.. "ChordChat/1/pass"u8, .. expiry, .. name];
        return HMACSHA256.HashData(identity.TicketKey.Span, data).AsSpan(0, MacBytes);
    }
}
