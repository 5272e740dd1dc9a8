using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using Grpc.Net.Client;

namespace ChordChat.Node.Transport;

/// <summary>One connection to each node that this one talks to, proved by its certificate to be that node.</summary>
internal sealed class PeerChannels(ClusterTls tls) : IDisposable
{
    private readonly ConcurrentDictionary<NodeId, Entry> _channels = new();

    /// <summary>The channel to a peer; a new one when its address has changed.</summary>
    public GrpcChannel To(Peer peer)
    {
        var entry = _channels.AddOrUpdate(
            peer.Node,
            _ => new Entry(peer.Address, new(() => Open(peer.Address, peer.Node))),
            (_, known) => known.Address == peer.Address
                ? known
                : new Entry(peer.Address, new(() => Open(peer.Address, peer.Node))));
        return entry.Channel.Value;
    }

    /// <summary>A channel to whoever of this cluster answers at an address; the caller disposes it.</summary>
    public GrpcChannel ToStranger(string address) => Open(address, null);

    /// <summary>A channel to one node at an address where only it may answer; the caller disposes it.</summary>
    public GrpcChannel ToNodeAt(string address, NodeId node) => Open(address, node);

    public void Dispose()
    {
        foreach (var entry in _channels.Values)
            if (entry.Channel.IsValueCreated)
                entry.Channel.Value.Dispose();
    }

    private GrpcChannel Open(string address, NodeId? expected) => GrpcChannel.ForAddress($"https://{address}", new()
    {
        HttpHandler = tls.CreateHandler(expected),
        DisposeHttpClient = true,
        MaxReceiveMessageSize = 8 << 20,
        MaxSendMessageSize = 8 << 20,
    });

    private sealed record Entry(string Address, Lazy<GrpcChannel> Channel);
}
