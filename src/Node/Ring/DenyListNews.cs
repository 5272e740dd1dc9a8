using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Ring;

/// <summary>Who may have a newer deny list, as probes tell it. Safe for threads.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. Of each node the newest claim waits and no other, and they have turns, and
/// strangers every other one at most: one that claims without end keeps nobody else's word from being
/// followed.</remarks>
internal sealed class DenyListNews(ClusterTrust trust)
{
    /// <summary>Claims that may wait of addresses where nobody knows who answers.</summary>
    public const int StrangersMax = 16;

    private readonly ConcurrentDictionary<NodeId, ulong> _numbers = new();
    private readonly Lock _turn = new();
    private readonly Dictionary<DenyListTeller, DenyListClaim> _newest = [];
    private readonly Queue<DenyListTeller> _known = [];
    private readonly Queue<DenyListTeller> _strangers = [];
    private readonly Channel<bool> _waiting = Channel.CreateUnbounded<bool>(new() { SingleReader = true });
    private bool _strangerWasLast;

    /// <summary>What goes into this node's probes.</summary>
    public ulong Own => trust.Denied?.Number ?? 0;

    public ulong NumberOf(NodeId node) => _numbers.GetValueOrDefault(node);

    /// <summary>One after the other, for one reader.</summary>
    public async IAsyncEnumerable<DenyListClaim> ReadAllAsync([EnumeratorCancellation] CancellationToken stopping)
    {
        await foreach (var _ in _waiting.Reader.ReadAllAsync(stopping))
            yield return Take();
    }

    /// <param name="address">Where it is known to be; null when it is not known yet.</param>
    public void Heard(NodeId node, ulong number, string? address)
    {
        _numbers[node] = number;
        if (number > Own && address is { Length: > 0 })
            Add(new(node, address, number));
    }

    /// <summary>The node at this address answers this one as nobody: perhaps because it was denied.</summary>
    /// <param name="node">Null when it is not known who answers there.</param>
    public void Refused(NodeId? node, string address) => Add(new(node, address, 0));

    private void Add(DenyListClaim claim)
    {
        lock (_turn)
        {
            var waits = _newest.ContainsKey(claim.Teller);
            if (!waits && claim.Node is null && _strangers.Count >= StrangersMax)
                return;
            _newest[claim.Teller] = claim;
            if (waits)
                return;
            (claim.Node is null ? _strangers : _known).Enqueue(claim.Teller);
            _waiting.Writer.TryWrite(true);
        }
    }

    private DenyListClaim Take()
    {
        lock (_turn)
        {
            _strangerWasLast = _strangers.Count > 0 && (_known.Count == 0 || !_strangerWasLast);
            _newest.Remove((_strangerWasLast ? _strangers : _known).Dequeue(), out var claim);
            return claim;
        }
    }
}

/// <param name="Node">Who says so; null: whoever answers there.</param>
/// <param name="Number">Of the list that it says it has; 0: it said nothing, and answered this node as nobody.</param>
internal readonly record struct DenyListClaim(NodeId? Node, string Address, ulong Number)
{
    /// <summary>A node has one word, whatever addresses it tells.</summary>
    public DenyListTeller Teller => new(Node, Node is null ? Address : "");
}

internal readonly record struct DenyListTeller(NodeId? Node, string Address);
