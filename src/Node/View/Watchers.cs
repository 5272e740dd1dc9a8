using ChordChat.Core.Chat;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using Grpc.Core;

namespace ChordChat.Node.View;

/// <summary>Who watches the ring here: so many from one address and in all, and nobody who does not read.</summary>
/// <remarks>docs/security.md, "Places of strangers". The operator and pages with a certificate have places of their
/// own.</remarks>
internal sealed class Watchers(ViewOptions options, TimeProvider time)
{
    /// <summary>So many traces of a block are let in within a minute, however many come from other blocks.</summary>
    public const int FewOfBlock = 5;

    private const string All = "all";

    private readonly FairPlaces _strangers = new(
        options.WatchersPerAddressMax, options.WatchersMax, TimeSpan.MaxValue, time);

    private readonly FairPlaces _known = new(options.WatchersMax, options.WatchersMax, TimeSpan.MaxValue, time);
    private readonly OpenCalls _strangersTraces = new(options.TracesPerAddressMax, 8 * options.TracesPerAddressMax);
    private readonly OpenCalls _knownTraces = new(8 * options.TracesPerAddressMax, 8 * options.TracesPerAddressMax);

    private readonly Lock _turn = new();
    private readonly AddressThrottle _blocks = new(options.TracesPerMinuteMax);
    private readonly AddressThrottle _all = new(8 * options.TracesPerMinuteMax);

    /// <summary>For a trace, which costs the whole ring some calls.</summary>
    /// <returns>To be disposed of at its end.</returns>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: there are too many already.</exception>
    public IDisposable EnterTrace(HttpContext caller)
    {
        var (address, isKnown) = (caller.Connection.RemoteIpAddress, CallerIdentity.Of(caller).MaySeeNames);
        if (!isKnown && !IsInTime(AddressBlock.OfSite(address)))
            throw Full("too many traces in a minute");
        return (isKnown ? _knownTraces : _strangersTraces).TryOpen(address) ?? throw Full("too many traces at once");
    }

    /// <returns>To be disposed of at the end of the stream.</returns>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: there are too many already.</exception>
    public FairPlaces.Place Enter(HttpContext caller) =>
        (CallerIdentity.Of(caller).MaySeeNames ? _known : _strangers).TryEnter(caller.Connection.RemoteIpAddress)
            ?? throw Full("too many clients watch this node already");

    /// <summary>For who watches and has lost the place to a newcomer.</summary>
    public static RpcException Full(string why) => new(new Status(StatusCode.ResourceExhausted, why));

    private bool IsInTime(string block)
    {
        var now = (long)time.GetElapsedTime(0).TotalMilliseconds;
        lock (_turn)
        {
            var isOneOfFew = _blocks.FailureCount(block, now) < FewOfBlock;
            if (_blocks.Wait(block, now) > TimeSpan.Zero || (!isOneOfFew && _all.Wait(All, now) > TimeSpan.Zero))
                return false;
            _blocks.Failed(block, now);
            _all.Failed(All, now);
            return true;
        }
    }

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
            catch (OperationCanceledException) when (!caller.RequestAborted.IsCancellationRequested)
            {
                caller.Abort(); // It would not read why, either.
                return;
            }
        }
    }
}
