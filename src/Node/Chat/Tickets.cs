using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ChordChat.Node.Chat;

/// <summary>What a login gives: for ten minutes, at any node, the right to put one entry on top of a user's key log.
/// </summary>
/// <remarks>8 bytes of expiry (Unix time, ms) and 24 of HMAC-SHA256 under the cluster's ticket key: nothing is kept.
/// Bound to the newest entry, so that it is of no use once anybody has published.</remarks>
internal sealed class Tickets(ChatIdentity identity, ChatOptions options, ChatClock clock)
{
    private const int Bytes = 32;
    private const int ExpiryBytes = 8;

    public byte[] Issue(string user, ulong headNumber)
    {
        var ticket = new byte[Bytes];
        BinaryPrimitives.WriteInt64BigEndian(ticket, clock.Unix + (long)options.TicketLifetime.TotalMilliseconds);
        Mac(user, headNumber, ticket.AsSpan(0, ExpiryBytes)).CopyTo(ticket.AsSpan(ExpiryBytes));
        return ticket;
    }

    public bool IsGood(ReadOnlySpan<byte> ticket, string user, ulong headNumber) =>
        ticket.Length == Bytes
        && CryptographicOperations.FixedTimeEquals(
            Mac(user, headNumber, ticket[..ExpiryBytes]), ticket[ExpiryBytes..])
        && BinaryPrimitives.ReadInt64BigEndian(ticket) > clock.Unix;

    private ReadOnlySpan<byte> Mac(string user, ulong headNumber, ReadOnlySpan<byte> expiry)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(number, headNumber);
        byte[] data = [.. "ChordChat/1/ticket"u8, .. expiry, .. number, .. Encoding.ASCII.GetBytes(user)];
        return HMACSHA256.HashData(identity.TicketKey.Span, data).AsSpan(0, Bytes - ExpiryBytes);
    }
}
