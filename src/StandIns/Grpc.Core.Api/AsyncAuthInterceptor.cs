using Grpc.Core.Utils;

namespace Grpc.Core;

/// <summary>Adds what proves the caller's right to <paramref name="metadata"/> before a call starts.</summary>
public delegate Task AsyncAuthInterceptor(AuthInterceptorContext context, Metadata metadata);

/// <summary>Which call an <see cref="AsyncAuthInterceptor"/> is asked for.</summary>
public class AuthInterceptorContext(string serviceUrl, string methodName, CancellationToken cancellationToken)
{
    public AuthInterceptorContext(string serviceUrl, string methodName)
        : this(serviceUrl, methodName, CancellationToken.None)
    {
    }

    public string ServiceUrl { get; } = GrpcPreconditions.CheckNotNull(serviceUrl, nameof(serviceUrl));

    public string MethodName { get; } = GrpcPreconditions.CheckNotNull(methodName, nameof(methodName));

    public CancellationToken CancellationToken { get; } = cancellationToken;
}
