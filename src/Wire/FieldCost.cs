using Google.Protobuf.Reflection;

namespace ChordChat.Wire;

/// <summary>What one field of a message costs each time that it occurs.</summary>
internal sealed class FieldCost
{
    /// <summary>The first element makes an array of eight.</summary>
    public const int FirstElementBytes = 88;

    /// <summary>An array that is full is copied to one of twice its size.</summary>
    public const int ElementBytes = 16;

    private readonly FieldDescriptor _field;
    private readonly uint _wireType;
    private readonly bool _isMessage;
    private readonly int _bytes;
    private readonly int _perByte;
    private MessageCost? _message;

    /// <exception cref="NotSupportedException">The field is a group.</exception>
    public FieldCost(FieldDescriptor field)
    {
        var choice = field.RealContainingOneof;
        _field = field;
        _isMessage = field.FieldType == FieldType.Message;
        (_wireType, _bytes, _perByte) = field.FieldType switch
        {
            FieldType.Message => (2u, 0, 0),
            FieldType.String => (2u, 24, 2),
            FieldType.Bytes => (2u, 56, 1),
            FieldType.Double or FieldType.Fixed64 or FieldType.SFixed64 => (1u, 0, 1),
            FieldType.Float or FieldType.Fixed32 or FieldType.SFixed32 => (5u, 0, 1),
            FieldType.Group => throw new NotSupportedException($"{field.FullName} is a group."),
            _ => (0u, 0, 8), // Packed: as many numbers as there are bytes, at most.
        };
        IsRepeated = field.IsRepeated;
        IsMerged = !IsRepeated && (choice is not null || _isMessage);
        IsBoxed = choice is not null && _wireType != 2;
        Bit = 1UL << (choice?.Fields[0] ?? field).Index;
    }

    public bool IsRepeated { get; }

    /// <summary>Whether a second occurrence costs a copy of what the first one held: a oneof is made anew from a
    /// copy, a message is merged into the old one together with its own oneofs.</summary>
    public bool IsMerged { get; }

    /// <summary>Its bit among the fields of its message; the 65th shares that of the first.</summary>
    public ulong Bit { get; }

    /// <summary>Null when the field is no message.</summary>
    public MessageCost? Message => _isMessage ? _message ??= MessageCost.Of(_field.MessageType) : null;

    private bool IsBoxed { get; }

    /// <summary>How the parser expects it; written in another way it is unknown.</summary>
    public bool IsExpected(uint wireType) => wireType == _wireType || (wireType == 2 && IsRepeated);

    /// <param name="length">Of its content; 0 when it is a number.</param>
    public long Bytes(long length) =>
        Message is { } message ? message.ObjectBytes
        : length > 0 ? _bytes + (_perByte * length)
        : IsBoxed ? 24 : 0;
}
