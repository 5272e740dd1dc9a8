using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Node.Ring;
using ChordChat.Wire;

namespace ChordChat.Node.Transport;

/// <summary>The link to each node that this one has called.</summary>
internal sealed class PeerLinks(
    RingDriver ring, PeerChannels channels, TimeProvider time, ILogger<PeerLink> logger) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<NodeId, PeerLink> _links = new();

    /// <summary>Makes a call; see <see cref="PeerLink.Send"/>.</summary>
    public void Send(NodeId to, Call call, Action<Answer?> done) =>
        _links.GetOrAdd(to, node => new PeerLink(node, Connect, time, logger)).Send(call, done);

    /// <summary>Makes a call and waits for its answer, but not longer than <paramref name="timeout"/>.</summary>
    /// <returns>Null when none came.</returns>
    public async Task<Answer?> CallAsync(NodeId to, Call call, TimeSpan timeout, CancellationToken cancellation)
    {
        var answered = new TaskCompletionSource<Answer?>(TaskCreationOptions.RunContinuationsAsynchronously);
        Send(to, call, answer => answered.TrySetResult(answer));
        try
        {
            return await answered.Task.WaitAsync(timeout, time, cancellation);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var link in _links.Values)
            await link.DisposeAsync();
    }

    private Wire.Replica.ReplicaClient? Connect(NodeId node) =>
        ring.Now.Find(node) is { Address.Length: > 0 } peer ? new(channels.To(peer)) : null;
}
