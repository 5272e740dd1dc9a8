using System.Reflection;
using ChordChat.Wire;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>Binds the methods of a service as gRPC does by itself, but reads their requests with
/// <see cref="StrictMarshaller"/>.</summary>
/// <remarks>docs/security.md, "What a call may cost". gRPC asks every provider, so this one takes the place of its own.
/// </remarks>
internal sealed class StrictMethods<TService> : IServiceMethodProvider<TService>
    where TService : class
{
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context)
    {
        for (var type = typeof(TService); type is not null; type = type.BaseType)
            if (type.GetCustomAttribute<BindServiceMethodAttribute>(inherit: false) is { } bind)
                bind.BindType.GetMethod(bind.BindMethodName, [typeof(ServiceBinderBase), type])!
                    .Invoke(null, [new Binder(context), null]);
    }

    private sealed class Binder(ServiceMethodProviderContext<TService> context) : ServiceBinderBase
    {
        private static readonly object[] Metadata = [new HttpMethodMetadata([HttpMethods.Post])];

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            context.AddUnaryMethod(
                Strict(method), Metadata,
                Handler<UnaryServerMethod<TService, TRequest, TResponse>>(
                    method.Name, typeof(TRequest), typeof(ServerCallContext)));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddServerStreamingMethod(
                Strict(method), Metadata,
                Handler<ServerStreamingServerMethod<TService, TRequest, TResponse>>(
                    method.Name, typeof(TRequest), typeof(IServerStreamWriter<TResponse>), typeof(ServerCallContext)));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddClientStreamingMethod(
                Strict(method), Metadata,
                Handler<ClientStreamingServerMethod<TService, TRequest, TResponse>>(
                    method.Name, typeof(IAsyncStreamReader<TRequest>), typeof(ServerCallContext)));

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            context.AddDuplexStreamingMethod(
                Strict(method), Metadata,
                Handler<DuplexStreamingServerMethod<TService, TRequest, TResponse>>(
                    method.Name, typeof(IAsyncStreamReader<TRequest>), typeof(IServerStreamWriter<TResponse>),
                    typeof(ServerCallContext)));

        private static Method<TRequest, TResponse> Strict<TRequest, TResponse>(Method<TRequest, TResponse> method)
            where TRequest : class
            where TResponse : class =>
            new(
                method.Type, method.ServiceName, method.Name, StrictMarshaller.Of<TRequest>(),
                method.ResponseMarshaller);

        private static TDelegate Handler<TDelegate>(string name, params Type[] parameters)
            where TDelegate : Delegate => typeof(TService).GetMethod(name, parameters)!.CreateDelegate<TDelegate>();
    }
}
