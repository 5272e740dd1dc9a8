using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.Links;

/// <summary>The link to each node that this one has called.</summary>
/// <remarks>Whoever is no member, as far as this node knows, gets none: others name nodes as they like.</remarks>
internal sealed class PeerLinks(
    PeerBook peers, PeerChannels channels, LinkHandshake handshake, TimeProvider time, ILogger<PeerLink> logger)
    : IAsyncDisposable
{
    private readonly ConcurrentDictionary<NodeId, Lazy<PeerLink>> _links = new(); // Lazy: a second one would run on.

    /// <summary>Makes a call; see <see cref="PeerLink.Send"/>.</summary>
    public void Send(NodeId to, Call call, Action<Answer?> done)
    {
        if (LinkTo(to) is { } link)
            link.Send(call, done);
        else
            done(null);
    }

    /// <summary>Connects to a node without a call to make; see <see cref="PeerLink.Greet"/>.</summary>
    public void Greet(NodeId node) => LinkTo(node)?.Greet();

    /// <summary>Finds out which of two processes with this node's identity goes on: this one or the one at an
    /// address.</summary>
    public async Task ContestAsync(string address, NodeId self, TimeSpan timeout, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        try
        {
            using var channel = channels.ToNodeAt(address, self);
            using var stream = new Wire.Replica.ReplicaClient(StrictAnswers.Of(channel)).Link(
                cancellationToken: limit.Token);
            await handshake.CallAsync(self, stream.RequestStream, stream.ResponseStream, limit.Token);
        }
        catch (Exception e) when (e is RpcException or IOException or OperationCanceledException
            or InvalidOperationException or MalformedException
            or ArgumentOutOfRangeException or IndexOutOfRangeException) // Protobuf's parser, of lengths near 2^31.
        {
            cancellation.ThrowIfCancellationRequested(); // It is asked again at its next beacon.
        }
    }

    /// <summary>Makes a call and waits for its answer, but not longer than <paramref name="timeout"/>.</summary>
    /// <returns>Null when none came.</returns>
    public Task<Answer?> CallAsync(NodeId to, Call call, TimeSpan timeout, CancellationToken cancellation) =>
        Callback.InTimeAsync<Answer>(done => Send(to, call, done), timeout, time, cancellation);

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links.Values)
            await link.Value.DisposeAsync();
    }

    private PeerLink? LinkTo(NodeId node) => _links.TryGetValue(node, out var known) ? known.Value
        : peers(node) is null ? null
        : _links.GetOrAdd(node, to => new(() => new PeerLink(to, Connect, handshake, time, logger))).Value;

    private Wire.Replica.ReplicaClient? Connect(NodeId node) =>
        peers(node) is { Address.Length: > 0 } peer ? new(StrictAnswers.Of(channels.To(peer))) : null;
}
