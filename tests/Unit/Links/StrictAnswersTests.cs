using System.Buffers;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Unit.Links;

/// <summary>docs/security.md, "What a call may cost": what nodes answer is read strictly, whatever the kind of call.
/// </summary>
public sealed class StrictAnswersTests
{
    private static readonly Marshaller<ClientFrame> Lax = Marshallers.Create(
        message => message.ToByteArray(), ClientFrame.Parser.ParseFrom);

    private static readonly byte[] Costly =
        [.. Enumerable.Repeat((byte[])[0x12, 0], 1 << 19).SelectMany(part => part)]; // Sends.

    [Theory]
    [InlineData(MethodType.Unary)]
    [InlineData(MethodType.ClientStreaming)]
    [InlineData(MethodType.ServerStreaming)]
    [InlineData(MethodType.DuplexStreaming)]
    public void Every_kind_of_call_refuses_a_costly_answer(MethodType type)
    {
        var method = new Method<ClientFrame, ClientFrame>(type, "chordchat.v1.Chat", "Any", Lax, Lax);
        var calls = new Answers();
        var strict = StrictAnswers.Of(new Channel(calls));
        switch (type)
        {
            case MethodType.Unary:
                Refuse(() => strict.AsyncUnaryCall(method, null, default, new()));
                Refuse(() => strict.BlockingUnaryCall(method, null, default, new()));
                break;
            case MethodType.ClientStreaming:
                Refuse(() => strict.AsyncClientStreamingCall(method, null, default));
                break;
            case MethodType.ServerStreaming:
                Refuse(() => strict.AsyncServerStreamingCall(method, null, default, new()));
                break;
            default:
                Refuse(() => strict.AsyncDuplexStreamingCall(method, null, default));
                break;
        }
    }

    private static void Refuse(Action call) =>
        Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(call).StatusCode);

    private sealed class Channel(CallInvoker calls) : ChannelBase("nowhere")
    {
        public override CallInvoker CreateCallInvoker() => calls;
    }

    /// <summary>Reads the costly answer with what the call brings.</summary>
    private sealed class Answers : CallInvoker
    {
        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => Read(method);

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw Unrefused(Read(method));

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            throw Unrefused(Read(method));

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw Unrefused(Read(method));

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw Unrefused(Read(method));

        private static TResponse Read<TRequest, TResponse>(Method<TRequest, TResponse> method) =>
            method.ResponseMarshaller.ContextualDeserializer(new Payload(Costly));

        private static InvalidOperationException Unrefused(object? answer) => new($"{answer?.GetType()} was read");
    }

    private sealed class Payload(byte[] message) : DeserializationContext
    {
        public override int PayloadLength => message.Length;

        public override byte[] PayloadAsNewBuffer() => message;

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(message);
    }
}
