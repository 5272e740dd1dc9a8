using System.Buffers.Binary;
using System.Security.Cryptography;
using ChordChat.Core.Chat;

namespace ChordChat.Node.Chat;

/// <summary>A code that lets one person register, where that needs an invitation: docs/protocol.md#invitations.
/// </summary>
/// <remarks>8 random bytes, 4 of expiry (Unix time, s), 8 of HMAC-SHA256 under the cluster's ticket key: any node can
/// tell that the operator made it, and nothing is kept before it is used.</remarks>
internal sealed record InvitationCode
{
    public static readonly TimeSpan LifeMax = TimeSpan.FromDays(366);

    private const int IdBytes = 8;
    private const int ExpiryBytes = 4;
    private const int GroupLetters = 8;

    private InvitationCode(byte[] bytes) => Bytes = bytes;

    public ReadOnlyMemory<byte> Bytes { get; }

    public DateTimeOffset Expires =>
        DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadUInt32BigEndian(Bytes.Span[IdBytes..]));

    /// <summary>16 hex digits.</summary>
    public string Id => Convert.ToHexStringLower(Bytes.Span[..IdBytes]);

    /// <param name="ticketKey">The cluster's, 32 bytes.</param>
    public static InvitationCode New(ReadOnlySpan<byte> ticketKey, DateTimeOffset expires)
    {
        var bytes = new byte[InvitationUse.CodeBytes];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, IdBytes));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(IdBytes), (uint)expires.ToUnixTimeSeconds());
        Mac(ticketKey, bytes).CopyTo(bytes.AsSpan(IdBytes + ExpiryBytes));
        return new(bytes);
    }

    /// <summary>Reads what a person typed: capitals, spaces and dashes do not matter.</summary>
    /// <returns>Null for what is no code of this cluster; whether it has expired is for the caller to ask.</returns>
    public static InvitationCode? TryParse(string text, ReadOnlySpan<byte> ticketKey)
    {
        if (text.Length > 4 * InvitationUse.CodeBytes)
            return null;
        var digits = string.Concat(text.Where(c => c is not (' ' or '-')));
        if (digits.Length != 2 * InvitationUse.CodeBytes || !digits.All(char.IsAsciiHexDigit))
            return null;
        return TryRead(Convert.FromHexString(digits), ticketKey);
    }

    /// <returns>Null for what is no code of this cluster.</returns>
    public static InvitationCode? TryRead(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> ticketKey) =>
        bytes.Length == InvitationUse.CodeBytes
        && CryptographicOperations.FixedTimeEquals(Mac(ticketKey, bytes), bytes[(IdBytes + ExpiryBytes)..])
            ? new(bytes.ToArray())
            : null;

    /// <summary>The code itself, in five groups: whoever has it can register once.</summary>
    public override string ToString() => string.Join(
        '-', Convert.ToHexStringLower(Bytes.Span).Chunk(GroupLetters).Select(group => new string(group)));

    private static ReadOnlySpan<byte> Mac(ReadOnlySpan<byte> ticketKey, ReadOnlySpan<byte> code)
    {
        byte[] data = [.. "ChordChat/1/invitation"u8, .. code[..(IdBytes + ExpiryBytes)]];
        return HMACSHA256.HashData(ticketKey, data).AsSpan(0, InvitationUse.CodeBytes - IdBytes - ExpiryBytes);
    }
}
