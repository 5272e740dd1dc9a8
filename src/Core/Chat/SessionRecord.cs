using ChordChat.Core.Ring;

namespace ChordChat.Core.Chat;

/// <summary>What the register sess/&lt;user&gt; holds: which session is the current one.</summary>
/// <param name="Number">Grows with each session; of two sessions the one with the smaller number is over.</param>
/// <param name="Node">Where the client is connected.</param>
/// <param name="Epoch">The device epoch of its keys.</param>
/// <param name="IsOpen">False once the client has logged out.</param>
public sealed record SessionRecord(ulong Number, NodeId Node, uint Epoch, UInt128 Device, long SinceMs, bool IsOpen)
{
    /// <summary>Numbers grow by one at a time (docs/protocol.md#newer-session): none gets here, and a larger one
    /// cannot be read.</summary>
    public const ulong NumberMax = 1UL << 62;

    private const byte FormatVersion = 1;

    /// <summary>In `condition ? bytes : null` the null would become empty bytes, by way of byte[].</summary>
    private static ReadOnlyMemory<byte>? Nothing => null;

    private static ReadOnlySpan<byte> Magic => "CCSR"u8;

    /// <summary>Opens the next session; null when a device with newer keys has had one already.</summary>
    public static ReadOnlyMemory<byte>? Open(
        ReadOnlyMemory<byte> current, NodeId node, uint epoch, UInt128 device, long nowMs)
    {
        if (current.IsEmpty)
            return new SessionRecord(1, node, epoch, device, nowMs, IsOpen: true).ToBytes();
        var last = FromBytes(current);
        return epoch >= last.Epoch
            ? new SessionRecord(last.Number + 1, node, epoch, device, nowMs, IsOpen: true).ToBytes()
            : Nothing;
    }

    /// <summary>Ends session <paramref name="number"/> if it is still the current one.</summary>
    public static ReadOnlyMemory<byte>? Close(ReadOnlyMemory<byte> current, ulong number) =>
        !current.IsEmpty && FromBytes(current) is { IsOpen: true } last && last.Number == number
            ? (last with { IsOpen = false }).ToBytes()
            : Nothing;

    public ReadOnlyMemory<byte> ToBytes() => new FieldWriter(96)
        .Raw(Magic).U8(FormatVersion)
        .U64(Number).Raw(Node.ToBytes()).U32(Epoch).U128(Device).U64((ulong)SinceMs).U8(IsOpen ? (byte)1 : (byte)0)
        .ToMemory();

    /// <exception cref="InvalidDataException">These bytes are not a session record that this program knows.</exception>
    public static SessionRecord FromBytes(ReadOnlyMemory<byte> bytes)
    {
        var reader = new FieldReader(bytes);
        reader.Head(Magic, FormatVersion);
        var record = new SessionRecord(
            reader.U64(),
            NodeId.FromBytes(reader.Raw(32).Span),
            reader.U32(),
            reader.U128(),
            (long)reader.U64(),
            reader.U8() == 1);
        reader.End();
        return record.Number <= NumberMax ? record : throw new InvalidDataException("number of a session");
    }
}
