using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Passwords;

namespace ChordChat.Sdk.Profiles;

/// <summary>The last key-log entry that this profile signed for a new device, with all that it takes to hand the very
/// same bytes in again.</summary>
/// <remarks>docs/e2e.md, New device.</remarks>
/// <param name="Log">The user's key log, up to this entry.</param>
/// <param name="Keyring">The sealed keyring that the entry names.</param>
/// <param name="Device">Its keys; null once they are the profile's device.</param>
internal sealed record SignedEntry(KeyLog Log, byte[] Keyring, Device? Device)
{
    private const string RecordName = "signed-entry";

    public KeyLogEntry Entry => Log.Head;

    /// <summary>Seals it under the profile's key, which stands beside it sealed under the password: the profile may
    /// have no other record of that yet.</summary>
    public Record Seal(KdfParameters kdf, LocalKey key, byte[] profileKey)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        WriteBytes(writer, Keyring);
        var device = Device?.Write() ?? [];
        WriteBytes(writer, device);
        Array.Clear(device);
        WriteLog(writer, Log);
        var plain = stream.ToArray();
        var record = new Record(Log.User, Log.Cluster, kdf, profileKey, key.Seal(RecordName, plain));
        Array.Clear(plain);
        return record;
    }

    public static byte[] WriteLog(KeyLog log)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        WriteLog(writer, log);
        return stream.ToArray();
    }

    /// <returns>Null when the disk damaged it.</returns>
    public static KeyLog? ReadLog(ClusterId cluster, string user, byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            return KeyLog.Verify(cluster, user, ReadEntries(reader));
        }
        catch (Exception cause) when (cause is IOException or ArgumentException)
        {
            return null;
        }
    }

    private static void WriteLog(BinaryWriter writer, KeyLog log)
    {
        writer.Write(log.Entries.Length);
        foreach (var entry in log.Entries)
            WriteBytes(writer, entry.Bytes.ToArray());
    }

    private static List<byte[]> ReadEntries(BinaryReader reader)
    {
        var entries = new List<byte[]>();
        for (var count = reader.ReadInt32(); count > 0; count--)
            entries.Add(ReadBytes(reader));
        return entries;
    }

    private static void WriteBytes(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    private static byte[] ReadBytes(BinaryReader reader) => reader.ReadBytes(reader.ReadInt32());

    /// <summary>As the profile keeps it.</summary>
    /// <param name="ProfileKey">The key that opens <paramref name="Sealed"/>, sealed under the password.</param>
    public sealed record Record(string User, ClusterId Cluster, KdfParameters Kdf, byte[] ProfileKey, byte[] Sealed)
    {
        /// <exception cref="ChordChatException"><c>profile_damaged</c>, also for another key.</exception>
        public SignedEntry Open(LocalKey key)
        {
            var plain = key.OpenRecord(RecordName, Sealed);
            using var reader = new BinaryReader(new MemoryStream(plain));
            var keyring = ReadBytes(reader);
            var device = ReadBytes(reader);
            var log = KeyLog.Verify(Cluster, User, ReadEntries(reader)) ?? throw new ChordChatException(
                "profile_damaged", "the keys of a login that is not finished cannot be read",
                "move the profile folder away and log in again");
            Array.Clear(plain);
            var signed = new SignedEntry(
                log, keyring, device.Length == 0 ? null : Device.Parse(Cluster, User, device));
            Array.Clear(device);
            return signed;
        }

        public byte[] ToBytes()
        {
            using var stream = new MemoryStream();
            using var writer = new BinaryWriter(stream);
            writer.Write(User);
            WriteBytes(writer, Cluster.ToBytes());
            writer.Write(Kdf.Iterations);
            WriteBytes(writer, Kdf.ToSaltBytes());
            WriteBytes(writer, ProfileKey);
            WriteBytes(writer, Sealed);
            return stream.ToArray();
        }

        public static Record FromBytes(byte[] bytes)
        {
            using var reader = new BinaryReader(new MemoryStream(bytes));
            return new(
                reader.ReadString(),
                ClusterId.FromBytes(ReadBytes(reader)),
                KdfParameters.FromBytes(reader.ReadUInt32(), ReadBytes(reader)),
                ReadBytes(reader),
                ReadBytes(reader));
        }
    }
}
