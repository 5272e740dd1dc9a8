using System.Buffers;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Wire;

/// <summary>Reads messages of others so that what they cost is bounded by their bytes.</summary>
/// <remarks>docs/security.md, "What a call may cost". Protobuf keeps fields that it does not know, some 200 bytes for
/// two of the message: nobody here wants them. And it makes an object of each part, however short
/// (<see cref="MessageCost"/>).</remarks>
public static class StrictMarshaller
{
    private const string Unreadable = "the message cannot be read";

    /// <summary>Only reads; what it refuses is an <see cref="RpcException"/> of
    /// <see cref="StatusCode.InvalidArgument"/>.</summary>
    public static Marshaller<T> Of<T>()
        where T : class
    {
        var descriptor = ((IMessage)Activator.CreateInstance<T>()).Descriptor;
        var parser = descriptor.Parser.WithDiscardUnknownFields(true);
        var cost = MessageCost.Of(descriptor);
        return new(
            static (_, _) => throw new NotSupportedException(),
            context => (T)Read(parser, cost, context.PayloadAsReadOnlySequence()));
    }

    private static IMessage Read(MessageParser parser, MessageCost cost, ReadOnlySequence<byte> message)
    {
        switch (cost.Judge(message))
        {
            case CostVerdict.TooHigh:
                throw Refusal($"the message would take too much memory for its {message.Length} bytes");
            case CostVerdict.Broken:
                throw Refusal(Unreadable);
        }

        try
        {
            return parser.ParseFrom(message);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException
            or ArgumentOutOfRangeException or IndexOutOfRangeException) // Of lengths near 2^31.
        {
            throw Refusal(Unreadable);
        }
    }

    private static RpcException Refusal(string why) => new(new Status(StatusCode.InvalidArgument, why));
}
