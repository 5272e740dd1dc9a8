using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;

namespace ChordChat.Sdk.Keys;

/// <summary>A pin and the log it stands for, as kept sealed in the profile.</summary>
internal static class PinRecord
{
    public static byte[] Write(KeyLog log, Pin pin)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(pin.Identity.ToBytes());
        writer.Write(pin.Seq);
        writer.Write(pin.Entry.ToBytes());
        writer.Write((byte)pin.State);
        writer.Write(pin.Verified);
        writer.Write(log.Entries.Length);
        foreach (var entry in log.Entries)
        {
            writer.Write(entry.Bytes.Length);
            writer.Write(entry.Bytes.Span);
        }

        return stream.ToArray();
    }

    public static (KeyLog Log, Pin Pin) Parse(ClusterId cluster, string user, byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        var identity = Digest.FromBytes(reader.ReadBytes(Digest.Bytes));
        var seq = reader.ReadUInt64();
        var entry = Digest.FromBytes(reader.ReadBytes(Digest.Bytes));
        var pin = new Pin(user, identity, seq, entry, (PinState)reader.ReadByte(), reader.ReadBoolean());
        var entries = new List<byte[]>();
        for (var count = reader.ReadInt32(); count > 0; count--)
            entries.Add(reader.ReadBytes(reader.ReadInt32()));
        var log = KeyLog.Verify(cluster, user, entries) ?? throw new ChordChatException(
            "profile_damaged", $"the pinned keys of {user} cannot be read", "move the profile away and log in again");
        return (log, pin);
    }
}
