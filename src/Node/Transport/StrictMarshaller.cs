using System.Buffers;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>Reads messages of others so that they cost about as much memory as they have bytes.</summary>
/// <remarks>docs/security.md, "What a call may cost". Protobuf keeps fields that it does not know, some 200 bytes for
/// two of the message: nobody here wants them. And it makes an object of each part, however short.</remarks>
internal static class StrictMarshaller
{
    /// <summary>Fields of one message beside each other. The longest honest list acknowledges 16,384 messages.
    /// </summary>
    public const int FieldsMax = 32_768;

    public static Marshaller<T> Of<T>()
        where T : class
    {
        var parser = ((IMessage)Activator.CreateInstance<T>()).Descriptor.Parser.WithDiscardUnknownFields(true);
        return new(static (_, _) => throw new NotSupportedException(), context => (T)Read(parser, context));
    }

    private static IMessage Read(MessageParser parser, DeserializationContext context)
    {
        var message = context.PayloadAsReadOnlySequence();
        if (HasTooManyFields(message))
            throw new RpcException(new Status(
                StatusCode.InvalidArgument, $"a message has at most {FieldsMax} top-level fields"));
        try
        {
            return parser.ParseFrom(message);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException
            or ArgumentOutOfRangeException or IndexOutOfRangeException) // Of lengths near 2^31.
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "the message cannot be read"));
        }
    }

    /// <summary>Counts without building anything. What is no message ends the count: the parser says so.</summary>
    internal static bool HasTooManyFields(ReadOnlySequence<byte> message)
    {
        var reader = new SequenceReader<byte>(message);
        for (var fields = 0; TryReadVarint(ref reader, out var tag); fields++)
        {
            if (fields == FieldsMax)
                return true;
            var isSkipped = (tag & 7) switch
            {
                0 => TryReadVarint(ref reader, out _),
                1 => TryAdvance(ref reader, 8),
                2 => TryReadVarint(ref reader, out var length) && TryAdvance(ref reader, length),
                3 or 4 => true, // Groups, which only strangers send: what is in them counts as if it were beside them.
                5 => TryAdvance(ref reader, 4),
                _ => false,
            };
            if (!isSkipped)
                return false;
        }

        return false;
    }

    private static bool TryAdvance(ref SequenceReader<byte> reader, ulong length)
    {
        if (length > (ulong)reader.Remaining)
            return false;
        reader.Advance((long)length);
        return true;
    }

    private static bool TryReadVarint(ref SequenceReader<byte> reader, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && reader.TryRead(out var part); shift += 7)
        {
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
                return true;
        }

        return false;
    }
}
