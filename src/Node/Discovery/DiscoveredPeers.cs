using System.Threading.Channels;

namespace ChordChat.Node.Discovery;

/// <summary>Where hints gather until the ring looks at them. The same node is hinted at again and again, on purpose: a
/// node whose address changed is found by the next hint.</summary>
internal sealed class DiscoveredPeers
{
    private const int WaitingMax = 256;

    private readonly Channel<DiscoveredPeer> _hints = Channel.CreateBounded<DiscoveredPeer>(
        new BoundedChannelOptions(WaitingMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    /// <summary>Never waits; the oldest hint goes when nobody reads.</summary>
    public void Hint(DiscoveredPeer peer) => _hints.Writer.TryWrite(peer);

    /// <summary>For the one reader there is.</summary>
    public IAsyncEnumerable<DiscoveredPeer> ReadAllAsync(CancellationToken cancellation) =>
        _hints.Reader.ReadAllAsync(cancellation);
}
