using System.Buffers;
using System.Collections.Concurrent;
using Google.Protobuf.Reflection;

namespace ChordChat.Wire;

/// <summary>What may be done with a message, as far as its memory goes.</summary>
internal enum CostVerdict
{
    Affordable,

    TooHigh,

    /// <summary>It is no message: the parser would refuse it, perhaps after it has built much of it.</summary>
    Broken,
}

/// <summary>Estimates the memory that a message takes when it is read, in one pass over its bytes and without building
/// anything.</summary>
/// <remarks>docs/security.md, "What a call may cost". One budget for the whole message, however its fields are nested.
/// The sizes are those of a 64-bit runtime: 16 bytes for an object, 8 for a field, 24 for an array.</remarks>
internal sealed class MessageCost
{
    /// <summary>Any message may cost this much: one of few bytes is made of short parts.</summary>
    public const int FreeBytes = 256 << 10;

    /// <summary>The densest long lists of honest nodes cost 7 times their bytes: stamps of rows, two objects, a name
    /// and an id each.</summary>
    public const int PerByteMax = 8;

    private static readonly ConcurrentDictionary<MessageDescriptor, MessageCost> Known = new();

    private readonly FieldCost?[] _byNumber;

    private MessageCost(MessageDescriptor descriptor)
    {
        var fields = descriptor.Fields.InFieldNumberOrder();
        _byNumber = new FieldCost?[fields.Count == 0 ? 0 : fields[^1].FieldNumber + 1];
        foreach (var field in fields)
            _byNumber[field.FieldNumber] = new(field);
        ObjectBytes = 32 + fields.Sum(field => field.IsRepeated ? 40 : 8);
    }

    /// <summary>Of a message without content, with its empty lists.</summary>
    public int ObjectBytes { get; }

    public static MessageCost Of(MessageDescriptor descriptor) =>
        Known.GetOrAdd(descriptor, static unknown => new(unknown));

    public CostVerdict Judge(ReadOnlySequence<byte> message) =>
        new MessageWalk(message, FreeBytes + (PerByteMax * message.Length)).Judge(this);

    /// <summary>Null: this version does not know the field, so it is dropped and costs nothing.</summary>
    public FieldCost? Of(uint number) => number < _byNumber.Length ? _byNumber[number] : null;
}
