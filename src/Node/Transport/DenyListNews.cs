using System.Collections.Concurrent;
using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;

namespace ChordChat.Node.Transport;

/// <summary>Who may have a newer deny list, as probes tell it. Safe for threads.</summary>
internal sealed class DenyListNews(ClusterTrust trust)
{
    public const int WaitingMax = 256;

    private readonly ConcurrentDictionary<NodeId, ulong> _numbers = new();
    private readonly Channel<DenyListClaim> _claims = Channel.CreateBounded<DenyListClaim>(
        new BoundedChannelOptions(WaitingMax) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>What goes into this node's probes.</summary>
    public ulong Own => trust.Denied?.Number ?? 0;

    public ulong NumberOf(NodeId node) => _numbers.GetValueOrDefault(node);

    public IAsyncEnumerable<DenyListClaim> ReadAllAsync(CancellationToken stopping) =>
        _claims.Reader.ReadAllAsync(stopping);

    /// <param name="address">Where it is known to be; null when it is not known yet.</param>
    public void Heard(NodeId node, ulong number, string? address)
    {
        _numbers[node] = number;
        if (number > Own && address is { Length: > 0 })
            _claims.Writer.TryWrite(new(address, number));
    }

    /// <summary>The node at this address answers this one as nobody: perhaps because it was denied.</summary>
    public void Refused(string address) => _claims.Writer.TryWrite(new(address, 0));
}

/// <param name="Number">Of the list that it says it has; 0: it said nothing, and answered this node as nobody.</param>
internal readonly record struct DenyListClaim(string Address, ulong Number);
