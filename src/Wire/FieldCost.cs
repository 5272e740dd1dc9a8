using Google.Protobuf.Reflection;

namespace ChordChat.Wire;

/// <summary>What one field of a message costs each time that it occurs.</summary>
internal sealed class FieldCost(FieldDescriptor descriptor)
{
    /// <summary>The first element makes an array of eight.</summary>
    public const int FirstElementBytes = 88;

    /// <summary>An array that is full is copied to one of twice its size.</summary>
    public const int ElementBytes = 16;

    private const int BoxBytes = 24;

    private readonly uint _wireType = descriptor.FieldType switch
    {
        FieldType.Message or FieldType.String or FieldType.Bytes => 2,
        FieldType.Double or FieldType.Fixed64 or FieldType.SFixed64 => 1,
        FieldType.Float or FieldType.Fixed32 or FieldType.SFixed32 => 5,
        FieldType.Group => throw new NotSupportedException($"{descriptor.FullName} is a group."),
        _ => 0,
    };

    private MessageCost? _message;

    public bool IsRepeated { get; } = descriptor.IsRepeated;

    /// <summary>A choice (oneof) that occurs again is made anew, with a copy of what it held; a message is merged with
    /// what it held, and its own choices with it.</summary>
    public bool IsMerged { get; } =
        !descriptor.IsRepeated && (descriptor.RealContainingOneof is not null || descriptor.FieldType == FieldType.Message);

    /// <summary>Its bit among the fields of its message; the 65th shares that of the first.</summary>
    public ulong Bit { get; } = 1UL << (descriptor.RealContainingOneof?.Fields[0] ?? descriptor).Index;

    /// <summary>Null when the field is no message.</summary>
    public MessageCost? Message =>
        descriptor.FieldType == FieldType.Message ? _message ??= MessageCost.Of(descriptor.MessageType) : null;

    /// <summary>How the parser expects it; written in another way it is unknown.</summary>
    public bool IsExpected(uint wireType) => wireType == _wireType || (wireType == 2 && IsRepeated);

    /// <param name="length">Of its content; 0 when it is a number.</param>
    public long Bytes(long length) => descriptor.FieldType switch
    {
        FieldType.Message => Message!.ObjectBytes,
        FieldType.String => length == 0 ? 0 : 24 + (2 * length),
        FieldType.Bytes => length == 0 ? 0 : 56 + length,
        _ when IsRepeated => 8 * length, // As many numbers as there are bytes, at most.
        _ => descriptor.RealContainingOneof is null ? 0 : BoxBytes,
    };
}
