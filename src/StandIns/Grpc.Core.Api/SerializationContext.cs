using System.Buffers;
using Grpc.Core.Utils;

namespace Grpc.Core;

/// <summary>Where a marshaller puts a message: one array, or a buffer that it fills and completes.</summary>
public abstract class SerializationContext
{
    public virtual void Complete(byte[] payload) => throw new NotImplementedException();

    public virtual IBufferWriter<byte> GetBufferWriter() => throw new NotImplementedException();

    /// <summary>Says the exact size before anything is written, so that nothing is copied.</summary>
    public virtual void SetPayloadLength(int payloadLength)
    {
    }

    public virtual void Complete() => throw new NotImplementedException();
}

/// <summary>Where a marshaller finds a message.</summary>
public abstract class DeserializationContext
{
    public abstract int PayloadLength { get; }

    /// <summary>A copy that the caller may keep.</summary>
    public virtual byte[] PayloadAsNewBuffer() => throw new NotImplementedException();

    /// <summary>Valid only until the deserializer returns.</summary>
    public virtual ReadOnlySequence<byte> PayloadAsReadOnlySequence() => throw new NotImplementedException();
}

internal sealed class BufferSerializationContext : SerializationContext
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private byte[]? _payload;

    public byte[] Payload
    {
        get
        {
            GrpcPreconditions.CheckState(_payload is not null, "The serializer did not complete its payload.");
            return _payload;
        }
    }

    public override void Complete(byte[] payload)
    {
        GrpcPreconditions.CheckState(_payload is null, "The serializer completed its payload twice.");
        _payload = payload;
    }

    public override IBufferWriter<byte> GetBufferWriter() => _buffer;

    public override void Complete() => Complete(_buffer.WrittenSpan.ToArray());
}

internal sealed class BufferDeserializationContext(byte[] payload) : DeserializationContext
{
    public override int PayloadLength => payload.Length;

    public override byte[] PayloadAsNewBuffer() => [.. payload];

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(payload);
}
