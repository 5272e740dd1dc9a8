using ChordChat.Node.Admission;
using ChordChat.Node.Hosting;
using Grpc.Core;

namespace ChordChat.Node.View;

/// <summary>Who watches the ring here: so many from one address and in all, and nobody who does not read.</summary>
internal sealed class Watchers(ViewOptions options)
{
    private readonly OpenCalls _strangers = new(options.WatchersPerAddressMax, options.WatchersMax);
    private readonly OpenCalls _known = new(options.WatchersMax, options.WatchersMax);

    private readonly OpenCalls _traces = new(options.TracesPerAddressMax, 8 * options.TracesPerAddressMax);

    /// <summary>For a trace, which costs the whole ring some calls.</summary>
    /// <returns>To be disposed of at its end.</returns>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: there are too many already.</exception>
    public IDisposable EnterTrace(HttpContext caller) =>
        _traces.TryOpen(caller.Connection.RemoteIpAddress)
            ?? throw new RpcException(new Status(StatusCode.ResourceExhausted, "too many traces at once"));

    /// <returns>To be disposed of at the end of the stream.</returns>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: there are too many already.</exception>
    public IDisposable Enter(HttpContext caller) =>
        (CallerIdentity.Of(caller).MaySeeNames ? _known : _strangers).TryOpen(caller.Connection.RemoteIpAddress)
            ?? throw new RpcException(new Status(StatusCode.ResourceExhausted, "too many watch this node already"));

    /// <summary>Writes what the watcher is ready for; what became old meanwhile is left out. A watcher that does not
    /// read for long is cut off, for what was written waits in memory.</summary>
    public async Task WriteAsync<T>(
        IAsyncEnumerable<T> pictures, IServerStreamWriter<T> watcher, HttpContext caller, CancellationToken call)
    {
        await foreach (var picture in pictures.WithCancellation(call))
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(call);
            patience.CancelAfter(options.ReadingMax);
            try
            {
                await watcher.WriteAsync(picture, patience.Token);
            }
            catch (OperationCanceledException) when (!call.IsCancellationRequested)
            {
                caller.Abort(); // It would not read why, either.
                return;
            }
        }
    }
}
