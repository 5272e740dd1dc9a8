namespace ChordChat.Crypto.Keyrings;

/// <summary>HK: 32 random bytes that seal settings and, later, archive pages. docs/e2e.md, Keyring.</summary>
/// <param name="Number">1 for the first, one more with every login and every new password.</param>
/// <param name="Key">32 bytes; zeroed when the keyring is disposed of.</param>
public sealed record HistoryKey(uint Number, ReadOnlyMemory<byte> Key)
{
    internal const int Bytes = 32;
}
