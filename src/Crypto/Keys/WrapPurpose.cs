namespace ChordChat.Crypto.Keys;

/// <summary>
/// What a wrapped key is for. It stands inside the OAEP plaintext, since .NET cannot pass an OAEP label.
/// </summary>
internal enum WrapPurpose : byte
{
    DirectMessage = 1,
}
