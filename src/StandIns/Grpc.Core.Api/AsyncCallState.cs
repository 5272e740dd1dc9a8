namespace Grpc.Core;

/// <summary>What the four kinds of running calls share. Each function is handed the state it was made with.</summary>
internal sealed class AsyncCallState(
    Func<object?, Task<Metadata>> headersAsync,
    Func<object?, Status> status,
    Func<object?, Metadata> trailers,
    Action<object?> dispose,
    object? state)
{
    public AsyncCallState(Task<Metadata> headersAsync, Func<Status> status, Func<Metadata> trailers, Action dispose)
        : this(_ => headersAsync, _ => status(), _ => trailers(), _ => dispose(), null)
    {
    }

    public Task<Metadata> HeadersAsync() => headersAsync(state);

    public Status Status() => status(state);

    public Metadata Trailers() => trailers(state);

    public void Dispose() => dispose(state);
}
