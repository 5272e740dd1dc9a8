using ChordChat.Crypto.Formats;
using ChordChat.Crypto.Keys;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Crypto.KeyLogs;

/// <summary>Writes and signs the next entry of one's own key log. docs/e2e.md, Key-log entry.</summary>
public static class KeyLogEntryBuilder
{
    /// <summary>Entry 0 of a new account.</summary>
    /// <param name="timeMs">Unix time in ms.</param>
    /// <param name="ringHash">Of the keyring blob that is uploaded with this entry.</param>
    /// <exception cref="ArgumentException">The user name or the KDF parameters are not acceptable.</exception>
    public static KeyLogEntry Create(
        ClusterId cluster, string user, ulong timeMs, IdentityKey identity, DeviceKeys device, Digest ringHash,
        KdfParameters kdf)
    {
        var body = Body(KeyLogEntryType.Create, cluster, user, identity, device, ringHash, kdf);
        return Sign(body with { TimeMs = timeMs }, identity, null);
    }

    /// <summary>A login or a new password: new device keys under the same identity.</summary>
    /// <param name="previous">The head of the log.</param>
    /// <param name="afterLoss">The last device may be in other hands: others must not trust it from now on.</param>
    public static KeyLogEntry NewDevice(
        KeyLogEntry previous, ulong timeMs, IdentityKey identity, DeviceKeys device, Digest ringHash, KdfParameters kdf,
        bool afterLoss = false)
    {
        var type = afterLoss ? KeyLogEntryType.NewDeviceAfterLoss : KeyLogEntryType.NewDevice;
        var body = Body(type, previous.Cluster, previous.User, identity, device, ringHash, kdf);
        return Sign(Behind(previous, body, timeMs), identity, null);
    }

    /// <summary>A new identity, because the old one or the password was in other hands. Signed by both.</summary>
    public static KeyLogEntry RotateIdentity(
        KeyLogEntry previous, ulong timeMs, IdentityKey oldIdentity, IdentityKey newIdentity, DeviceKeys device,
        Digest ringHash, KdfParameters kdf)
    {
        var type = KeyLogEntryType.RotateIdentity;
        var body = Body(type, previous.Cluster, previous.User, newIdentity, device, ringHash, kdf);
        return Sign(Behind(previous, body, timeMs), newIdentity, oldIdentity);
    }

    internal static KeyLogEntry Sign(KeyLogEntry.Fields fields, IdentityKey identity, IdentityKey? oldIdentity)
    {
        var bytes = SignedBytes(fields, identity, oldIdentity);
        return KeyLogEntry.TryParse(bytes)
            ?? throw new ArgumentException("these values make no key-log entry", nameof(fields));
    }

    internal static byte[] SignedBytes(KeyLogEntry.Fields fields, IdentityKey identity, IdentityKey? oldIdentity)
    {
        var body = fields.Write();
        return new Writer(KeyLogEntry.BytesMax)
            .B16(body)
            .B16(identity.Sign(Labels.SignKeyLog, body))
            .B16(oldIdentity is null ? [] : oldIdentity.Sign(Labels.SignKeyLogRotation, body))
            .Finish();
    }

    internal static bool HasItsSignature(KeyLogEntry entry)
    {
        using var identity = IdentityPublicKey.TryImport(entry.Identity.Span);
        return identity!.Verify(Labels.SignKeyLog, entry.Body.Span, entry.Signature.Span);
    }

    internal static bool HasSignatureOf(KeyLogEntry previous, KeyLogEntry rotation)
    {
        using var identity = IdentityPublicKey.TryImport(previous.Identity.Span);
        return identity!.Verify(Labels.SignKeyLogRotation, rotation.Body.Span, rotation.OldSignature.Span);
    }

    private static KeyLogEntry.Fields Body(
        KeyLogEntryType type, ClusterId cluster, string user, IdentityKey identity, DeviceKeys device, Digest ringHash,
        KdfParameters kdf) => new()
        {
            Type = type,
            Cluster = cluster,
            User = user,
            Seq = 0,
            Previous = default,
            TimeMs = 0,
            Identity = identity.PublicModulus.ToArray(),
            Epoch = 1,
            DeviceId = device.DeviceId,
            Encryption = device.Encryption.PublicModulus.ToArray(),
            Device = device.Signing.PublicPoint.ToArray(),
            RingHash = ringHash,
            Kdf = kdf,
        };

    // A clock that went back must not lock a user out, so the time never falls behind the entry before.
    private static KeyLogEntry.Fields Behind(KeyLogEntry previous, KeyLogEntry.Fields body, ulong timeMs) => body with
    {
        Seq = previous.Seq + 1,
        Previous = previous.Hash,
        TimeMs = Math.Max(previous.TimeMs, timeMs),
        Epoch = previous.Epoch + 1,
        Features = previous.Features,
        DiffieHellman = previous.F.DiffieHellman,
    };
}
