using Grpc.Core;
using Grpc.Core.Interceptors;

namespace ChordChat.Wire;

/// <summary>Reads what nodes answer with <see cref="StrictMarshaller"/>, too: one of them may lie.</summary>
public sealed class StrictAnswers : Interceptor
{
    private static readonly StrictAnswers All = new();

    private StrictAnswers() { }

    public static CallInvoker Of(ChannelBase channel) => channel.Intercept(All);

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation) => continuation(request, Strict(context));

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        BlockingUnaryCallContinuation<TRequest, TResponse> continuation) => continuation(request, Strict(context));

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncServerStreamingCallContinuation<TRequest, TResponse> continuation) =>
        continuation(request, Strict(context));

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncClientStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(Strict(context));

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context,
        AsyncDuplexStreamingCallContinuation<TRequest, TResponse> continuation) => continuation(Strict(context));

    private static ClientInterceptorContext<TRequest, TResponse> Strict<TRequest, TResponse>(
        ClientInterceptorContext<TRequest, TResponse> context)
        where TRequest : class
        where TResponse : class => new(Strict(context.Method), context.Host, context.Options);

    private static Method<TRequest, TResponse> Strict<TRequest, TResponse>(Method<TRequest, TResponse> method)
        where TRequest : class
        where TResponse : class =>
        new(
            method.Type, method.ServiceName, method.Name, method.RequestMarshaller, Answer<TResponse>.Marshaller);

    private static class Answer<T>
        where T : class
    {
        public static readonly Marshaller<T> Marshaller = StrictMarshaller.Of<T>();
    }
}
