namespace ChordChat.Crypto.KeyLogs;

/// <summary>What a client thinks of a contact's keys. docs/e2e.md, Pins.</summary>
public enum PinState
{
    /// <summary>Trusted on first use; nobody compared anything.</summary>
    New,

    /// <summary>The safety number was compared.</summary>
    Verified,

    /// <summary>A new device of the same identity: a small notice, nothing more.</summary>
    DeviceChanged,

    /// <summary>A new identity, vouched for by the old one: sending asks once, the verified mark is gone.</summary>
    IdentityRotated,

    /// <summary>
    /// A log that does not extend what was pinned. Sending is blocked; an attack or a fork, never routine.
    /// </summary>
    Conflict,
}
