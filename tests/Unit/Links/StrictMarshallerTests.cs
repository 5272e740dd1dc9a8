using System.Buffers;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

/// <summary>docs/security.md, "What a call may cost".</summary>
public sealed class StrictMarshallerTests
{
    private const int FrameBytes = 1 << 20;

    private static readonly Marshaller<ClientFrame> Frames = StrictMarshaller.Of<ClientFrame>();

    /// <summary>A hello in which empty groups of an unknown field stand beside each other, or each in the other.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public void What_nobody_knows_costs_no_memory(int depth)
    {
        byte[] nest = [.. Enumerable.Repeat((byte)0x7b, depth), .. Enumerable.Repeat((byte)0x7c, depth)];
        var unknown = Enumerable.Repeat(nest, FrameBytes / nest.Length).SelectMany(part => part).ToArray();
        var frame = new UnknownHello(unknown).ToByteArray();

        var kept = AllocatedBy(() => ClientFrame.Parser.ParseFrom(frame));
        var dropped = AllocatedBy(() => Assert.NotNull(Read(frame).Hello));

        Assert.True(kept > 50 * FrameBytes, $"{kept} bytes before");
        Assert.True(dropped < FrameBytes / 4, $"{dropped} bytes for a frame of {frame.Length}");
    }

    [Fact]
    public void Parts_without_number_are_refused_before_they_are_made()
    {
        var frame = Enumerable.Repeat((byte[])[0x12, 0], FrameBytes / 2).SelectMany(part => part).ToArray(); // Sends.
        var cost = AllocatedBy(() => Assert.Equal(
            StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => Read(frame)).StatusCode));
        Assert.True(cost < FrameBytes / 4, $"{cost} bytes for a frame of {frame.Length}");
    }

    /// <summary>The parser takes the low 32 bits of a length; whoever counts must, too.</summary>
    [Fact]
    public void A_length_with_bits_past_the_32nd_hides_nothing()
    {
        byte[] parts = [.. Enumerable.Repeat((byte[])[0x12, 0], FrameBytes / 4).SelectMany(part => part)]; // Sends.
        byte[] frame = [0x0a, 0x80, 0x80, 0x80, 0x80, 0x10, .. parts];
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => Read(frame)).StatusCode);
    }

    /// <summary>The parser builds what is there before it misses the rest, however much a length promises.</summary>
    [Theory]
    [InlineData(1 << 20)]
    [InlineData(1 << 30)]
    [InlineData(int.MaxValue)]
    public void A_length_past_the_end_hides_nothing(int length)
    {
        byte[] renewals = [.. Enumerable.Repeat((byte[])[0x0a, 0], FrameBytes / 4).SelectMany(part => part)];
        var leases = new Call { RenewLeases = new() }.ToByteArray();
        byte[] call = [.. leases[..^1], .. Varint(length / 2), .. renewals];
        byte[] frame = [.. new CallFrame { Calls = { new Call() } }.ToByteArray()[..^1], .. Varint(length), .. call];
        var calls = StrictMarshaller.Of<CallFrame>();
        RefuseCheaply(() => calls.ContextualDeserializer(new Payload(frame)));
    }

    /// <summary>Wire types that do not exist: the parser takes their tag for a whole field.</summary>
    [Theory]
    [InlineData(0x7e)]
    [InlineData(0x7f)]
    public void A_field_of_no_type_hides_nothing(byte tag)
    {
        byte[] frame = [tag, .. Enumerable.Repeat((byte[])[0x12, 0], FrameBytes / 4).SelectMany(part => part)];
        RefuseCheaply(() => Read(frame));
        Assert.NotNull(Read([tag]));
    }

    [Fact]
    public void What_is_no_message_is_an_invalid_argument()
    {
        foreach (var broken in (byte[][])
            [
                [0xff], [0x12, 9], [0x7c], [0x0a, 2, 0x7b, 0x7c, 1], [0xff, 0xff, 0xff],
                [0x12, 2, 0x0a, 0x80, 0x01], // A length that ends past its message.
            ])
            Assert.Equal(
                StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => Read(broken)).StatusCode);
    }

    private static ClientFrame Read(byte[] message) => Frames.ContextualDeserializer(new Payload(message));

    private static void RefuseCheaply(Action read)
    {
        var cost = AllocatedBy(() => Assert.Equal(
            StatusCode.InvalidArgument, Assert.Throws<RpcException>(read).StatusCode));
        Assert.True(cost < FrameBytes / 4, $"{cost} bytes");
    }

    private static IEnumerable<byte> Varint(int value)
    {
        for (; value > 0x7f; value >>= 7)
            yield return (byte)(value | 0x80);
        yield return (byte)value;
    }

    private static long AllocatedBy(Action action)
    {
        action(); // What is made once is not counted.
        var before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class UnknownHello(byte[] content)
    {
        public byte[] ToByteArray()
        {
            var message = new MemoryStream();
            using (var output = new CodedOutputStream(message, leaveOpen: true))
            {
                output.WriteTag(ClientFrame.HelloFieldNumber, WireFormat.WireType.LengthDelimited);
                output.WriteBytes(ByteString.CopyFrom(content));
            }

            return message.ToArray();
        }
    }

    private sealed class Payload(byte[] message) : DeserializationContext
    {
        public override int PayloadLength => message.Length;

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(message);
    }
}
