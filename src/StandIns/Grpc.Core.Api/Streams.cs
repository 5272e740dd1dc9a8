namespace Grpc.Core;

/// <summary>Messages as they come. One reader at a time.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message the last <see cref="MoveNext"/> that returned true arrived at.</summary>
    T Current { get; }

    /// <returns>False at the end of the stream.</returns>
    /// <exception cref="RpcException">The call ended with another status than OK.</exception>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>Messages to send. One write at a time.</summary>
public interface IAsyncStreamWriter<in T>
{
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Completes when the message has been handed to the transport.</summary>
    Task WriteAsync(T message);

    /// <exception cref="NotSupportedException">The token can be cancelled and this writer cannot be.</exception>
    Task WriteAsync(T message, CancellationToken cancellationToken) =>
        cancellationToken.CanBeCanceled
            ? throw new NotSupportedException("Cancelling a write is not supported by this writer.")
            : WriteAsync(message);
}

/// <summary>A client's side of a stream.</summary>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Says that nothing more follows; the call itself goes on.</summary>
    Task CompleteAsync();
}

/// <summary>A server's side of a stream; it ends when the service method returns.</summary>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>
{
}

public static class AsyncStreamReaderExtensions
{
    public static Task<bool> MoveNext<T>(this IAsyncStreamReader<T> streamReader)
        where T : class => streamReader.MoveNext(CancellationToken.None);
}
