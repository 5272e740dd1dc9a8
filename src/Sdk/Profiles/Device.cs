using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;

namespace ChordChat.Sdk.Profiles;

/// <summary>What makes this machine a user's current device: its signing key, the encryption keys of every epoch so
/// far, and the user's own key log. The identity key is not among it.</summary>
internal sealed class Device : IDisposable
{
    private readonly Dictionary<Digest, EncryptionKey> _byId;

    public Device(KeyLog log, DeviceKey signing, IReadOnlyList<EncryptionKey> encryption)
    {
        (Log, Signing, Encryption) = (log, signing, encryption);
        _byId = encryption.ToDictionary(key => key.Id);
    }

    /// <summary>The user's own key log, up to the entry of this device.</summary>
    public KeyLog Log { get; }

    public DeviceKey Signing { get; }

    public IReadOnlyList<EncryptionKey> Encryption { get; }

    public string User => Log.User;

    public ClusterId Cluster => Log.Cluster;

    public uint Epoch => Log.Head.Epoch;

    /// <summary>The private key with this id, of any epoch.</summary>
    public EncryptionKey? Find(Digest ekId) => _byId.GetValueOrDefault(ekId);

    /// <summary>All of it as bytes, to be sealed at once; the caller clears them.</summary>
    public byte[] Write()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        WriteBytes(writer, Signing.ExportPkcs8());
        writer.Write(Encryption.Count);
        foreach (var key in Encryption)
            WriteBytes(writer, key.ExportPkcs8());
        writer.Write(Log.Entries.Length);
        foreach (var entry in Log.Entries)
            WriteBytes(writer, entry.Bytes.ToArray());
        return stream.ToArray();
    }

    public static Device Parse(ClusterId cluster, string user, byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        var signing = DeviceKey.TryImport(ReadBytes(reader)) ?? throw Damaged();
        var encryption = new List<EncryptionKey>();
        for (var count = reader.ReadInt32(); count > 0; count--)
            encryption.Add(EncryptionKey.TryImport(ReadBytes(reader)) ?? throw Damaged());
        var entries = new List<byte[]>();
        for (var count = reader.ReadInt32(); count > 0; count--)
            entries.Add(ReadBytes(reader));
        return new Device(KeyLog.Verify(cluster, user, entries) ?? throw Damaged(), signing, encryption);
    }

    public void Dispose()
    {
        Signing.Dispose();
        foreach (var key in Encryption)
            key.Dispose();
    }

    private static void WriteBytes(BinaryWriter writer, byte[] bytes)
    {
        writer.Write(bytes.Length);
        writer.Write(bytes);
    }

    private static byte[] ReadBytes(BinaryReader reader) => reader.ReadBytes(reader.ReadInt32());

    private static ChordChatException Damaged() => new(
        "profile_damaged", "the device keys of this profile cannot be read",
        "move the profile folder away and log in again");
}
