using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Chat;

/// <summary>Bounds on what a client may hand in. Every node applies the same ones.</summary>
public static class ChatLimits
{
    /// <summary>A sealed message.</summary>
    public const int EnvelopeBytesMax = SetLimits.ContentBytesMax;

    /// <summary>A sealed keyring; each device a user ever had adds about 2 KiB.</summary>
    public const int KeyringBytesMax = 640 * 1024;

    /// <summary>The keyring of a new account, which has one device: no more than that is kept of who only
    /// registers.</summary>
    public const int FirstKeyringBytesMax = 32 * 1024;

    /// <summary>A signed key-log entry; the longest kind has about 2 KiB.</summary>
    public const int KeyLogEntryBytesMax = 4 * 1024;

    /// <summary>The secret derived from the password: base64url of 32 bytes.</summary>
    public const int SecretLength = 43;

    /// <summary>How long a session counts as alive after its last sign of life.</summary>
    public static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(15);
}
