using Grpc.Core.Utils;

namespace Grpc.Core;

public enum MethodType
{
    Unary = 0,
    ClientStreaming = 1,
    ServerStreaming = 2,
    DuplexStreaming = 3,
}

/// <summary>A method without the types of its messages.</summary>
public interface IMethod
{
    MethodType Type { get; }

    string ServiceName { get; }

    string Name { get; }

    /// <summary>The HTTP path: <c>/package.Service/Method</c>.</summary>
    string FullName { get; }
}

/// <summary>One method of a service, as generated from its proto file.</summary>
public class Method<TRequest, TResponse>(
    MethodType type,
    string serviceName,
    string name,
    Marshaller<TRequest> requestMarshaller,
    Marshaller<TResponse> responseMarshaller) : IMethod
{
    public MethodType Type { get; } = type;

    public string ServiceName { get; } = GrpcPreconditions.CheckNotNull(serviceName, nameof(serviceName));

    public string Name { get; } = GrpcPreconditions.CheckNotNull(name, nameof(name));

    public Marshaller<TRequest> RequestMarshaller { get; } =
        GrpcPreconditions.CheckNotNull(requestMarshaller, nameof(requestMarshaller));

    public Marshaller<TResponse> ResponseMarshaller { get; } =
        GrpcPreconditions.CheckNotNull(responseMarshaller, nameof(responseMarshaller));

    public string FullName { get; } = $"/{serviceName}/{name}";
}
