using System.Security.Cryptography;
using ChordChat.Crypto.Formats;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;

namespace ChordChat.Crypto.Keyrings;

/// <summary>Pins, verified marks and preferences, sealed under a history key and signed by the device.</summary>
/// <remarks>
/// Apart from the keyring because the key log pins the keyring's hash. A node can roll it back, but only to an older
/// genuine state, and older pins still protect. docs/e2e.md, Settings record.
/// </remarks>
/// <param name="Counter">One more with every change; a client never goes back to a smaller one.</param>
/// <param name="Plaintext">In the client's own format.</param>
public sealed record SettingsRecord(ulong Counter, byte[] Plaintext)
{
    private const int BytesMax = 1 << 20;
    private const int SaltBytes = 32;

    /// <param name="epoch">The device epoch of <paramref name="device"/>.</param>
    public byte[] Seal(ClusterId cluster, string user, HistoryKey history, uint epoch, DeviceKey device) =>
        Seal(cluster, user, history, epoch, device, RandomNumberGenerator.GetBytes(SaltBytes));

    /// <param name="own">The user's own key log: says which device keys may have signed.</param>
    /// <returns>Null for any damage, a foreign signature and an unknown history key alike.</returns>
    public static SettingsRecord? Open(Keyring ring, KeyLog own, ReadOnlySpan<byte> record)
    {
        var reader = new Reader(record);
        reader.Expect("CCST"u8);
        reader.Expect([1]);
        reader.Require(reader.Cluster() == own.Cluster);
        reader.Require(reader.User() == own.User);
        var counter = reader.U64();
        var number = reader.U32();
        var signer = own.AtEpoch(reader.U32());
        var salt = reader.Raw(SaltBytes);
        var prefix = record[..reader.Position];
        var box = reader.B32(BytesMax);
        var signed = record[..reader.Position];
        var signature = reader.Raw(DevicePublicKey.SignatureBytes);
        var history = ring.HistoryKeys.FirstOrDefault(h => h.Number == number);
        if (!reader.AtEnd || signer is null || history is null
            || !signer.DeviceKey.Verify(Labels.SignSettings, signed, signature))
        {
            return null;
        }

        var context = Context(own.Cluster, own.User, counter);
        var plain = CommittingSeal.Open(history.Key.Span, salt, Labels.Settings, context, prefix, box);
        return plain is null ? null : new(counter, plain);
    }

    internal byte[] Seal(
        ClusterId cluster, string user, HistoryKey history, uint epoch, DeviceKey device, ReadOnlySpan<byte> salt)
    {
        var prefix = new Writer().Raw("CCST"u8).U8(1).Cluster(cluster).User(user).U64(Counter)
            .U32(history.Number).U32(epoch).Raw(salt).Finish();
        var context = Context(cluster, user, Counter);
        var box = CommittingSeal.Seal(history.Key.Span, salt, Labels.Settings, context, prefix, Plaintext);
        var signed = new Writer(prefix.Length + 4 + box.Length).Raw(prefix).B32(box).Finish();
        return [.. signed, .. device.Sign(Labels.SignSettings, signed)];
    }

    private static byte[] Context(ClusterId cluster, string user, ulong counter) =>
        new Writer().Cluster(cluster).User(user).U64(counter).Finish();
}
