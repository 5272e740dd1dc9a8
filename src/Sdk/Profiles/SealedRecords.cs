using ChordChat.Crypto.Passwords;

namespace ChordChat.Sdk.Profiles;

internal static class SealedRecords
{
    /// <summary>Opens a record of this profile.</summary>
    /// <exception cref="ChordChatException">Somebody or something changed the file.</exception>
    public static byte[] OpenRecord(this LocalKey key, string name, byte[] record) =>
        key.Open(name, record) ?? throw new ChordChatException(
            "profile_damaged", "a sealed record of this profile was changed outside of ChordChat",
            "move the profile folder away and log in again; messages that nodes still keep will come back");
}
