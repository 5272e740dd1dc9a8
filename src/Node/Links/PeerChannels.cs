using ChordChat.Core.Ring;
using ChordChat.Node.Identity;
using Grpc.Net.Client;

namespace ChordChat.Node.Links;

/// <summary>One connection to each node that this one talks to, proved by its certificate to be that node. Safe for
/// threads.</summary>
/// <remarks>Bounded, since other members say whom to ask in a lookup: the one that was used longest ago goes.</remarks>
internal sealed class PeerChannels(ClusterTls tls, int openMax = PeerChannels.OpenMax) : IDisposable
{
    public const int OpenMax = 2_048;

    /// <summary>Calls that are under way on a channel that goes end in that time, or begin anew on another
    /// one.</summary>
    private static readonly TimeSpan LastCalls = TimeSpan.FromMinutes(1);

    private readonly Lock _turn = new();
    private readonly Dictionary<(NodeId Node, string Address), LinkedListNode<PeerChannel>> _channels = [];
    private readonly LinkedList<PeerChannel> _byUse = new(); // The latest first.
    private readonly List<PeerChannel> _retired = []; // Their last calls go on.
    private readonly CancellationTokenSource _over = new();

    /// <summary>Channels that are kept open.</summary>
    public int Count
    {
        get
        {
            lock (_turn)
                return _channels.Count;
        }
    }

    /// <summary>The channel to a peer at its address.</summary>
    public GrpcChannel To(Peer peer) => Of(peer).Grpc;

    /// <summary>The same, with what is known of the other end.</summary>
    public PeerChannel Of(Peer peer)
    {
        lock (_turn)
        {
            if (_channels.TryGetValue((peer.Node, peer.Address), out var known))
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                return known.Value;
            }

            if (_channels.Count >= openMax)
                Retire(_byUse.Last!);
            var opened = new PeerChannel(peer.Node, peer.Address, shown => Open(peer.Address, peer.Node, shown));
            _channels.Add((peer.Node, peer.Address), _byUse.AddFirst(opened));
            return opened;
        }
    }

    /// <summary>A channel to whoever of this cluster answers at an address; the caller disposes it.</summary>
    public GrpcChannel ToStranger(string address) => Open(address, null);

    /// <summary>A channel to one node at an address where only it may answer; the caller disposes it.</summary>
    public GrpcChannel ToNodeAt(string address, NodeId node) => Open(address, node);

    /// <summary>Ends all that goes on with a node at once: its certificate is not good any more.</summary>
    public void Close(NodeId node)
    {
        lock (_turn)
        {
            foreach (var entry in _byUse.Where(entry => entry.Node == node).ToArray())
            {
                _byUse.Remove(entry);
                _channels.Remove((entry.Node, entry.Address));
                entry.Grpc.Dispose();
            }

            foreach (var entry in _retired.Where(entry => entry.Node == node))
                entry.Grpc.Dispose(); // And once more when its minute is over, which does nothing.
        }
    }

    /// <summary>Later calls connect anew, with the certificate of now; those under way have a minute.</summary>
    public void RetireAll()
    {
        lock (_turn)
            while (_byUse.Last is { } last)
                Retire(last);
    }

    public void Dispose()
    {
        _over.Cancel();
        lock (_turn)
            foreach (var entry in _byUse.Concat(_retired))
                entry.Grpc.Dispose();
        _over.Dispose();
    }

    private void Retire(LinkedListNode<PeerChannel> last)
    {
        var entry = last.Value;
        _byUse.Remove(last);
        _channels.Remove((entry.Node, entry.Address));
        _retired.Add(entry);
        _ = Task.Delay(LastCalls, _over.Token).ContinueWith(_ => End(entry), TaskScheduler.Default);
    }

    private void End(PeerChannel retired)
    {
        lock (_turn)
            _retired.Remove(retired);
        retired.Grpc.Dispose();
    }

    private GrpcChannel Open(string address, NodeId? expected, Action<NodeCertificate>? shown = null) =>
        GrpcChannel.ForAddress($"https://{address}", new()
        {
            HttpHandler = tls.CreateHandler(expected, shown),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = 8 << 20,
            MaxSendMessageSize = 8 << 20,
        });
}

/// <summary>A channel on which one node answers, and no other.</summary>
internal sealed class PeerChannel
{
    private volatile NodeCertificate? _shown;

    public PeerChannel(NodeId node, string address, Func<Action<NodeCertificate>, GrpcChannel> open) =>
        (Node, Address, Grpc) = (node, address, open(shown => _shown = shown));

    public NodeId Node { get; }

    public string Address { get; }

    public GrpcChannel Grpc { get; }

    /// <summary>What the certificate of the other end says; null until a call has got through.</summary>
    public NodeCertificate? Shown => _shown;
}
