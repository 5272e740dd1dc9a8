namespace ChordChat.Crypto.KeyLogs;

/// <summary>What an entry of a key log says. There is no "reset": see docs/e2e.md, Key log.</summary>
public enum KeyLogEntryType : byte
{
    /// <summary>Entry 0: the account's first identity and device.</summary>
    Create = 1,

    /// <summary>A login on a device, or a new password: new device keys, same identity.</summary>
    NewDevice = 2,

    /// <summary>A new identity, signed by the old one as well.</summary>
    RotateIdentity = 3,

    /// <summary>As <see cref="NewDevice"/>, because the last device may be in other hands.</summary>
    NewDeviceAfterLoss = 4,
}
