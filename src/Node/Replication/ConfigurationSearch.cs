using ChordChat.Core.Replication;
using ChordChat.Node.Ring;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Replication;

/// <summary>Finds out whether a tile has moved on, when the members that this node knows do not answer: asks those who
/// should keep it by now.</summary>
internal sealed class ConfigurationSearch(
    ReplicaCalls calls, TileDirectory directory, RingDriver ring, TimeProvider time)
{
    private const int AskedMax = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <returns>Whether a configuration newer than <paramref name="known"/> is known now.</returns>
    public async Task<bool> FindNewerAsync(TileConfiguration known, CancellationToken cancellation)
    {
        var now = ring.Now;
        var asked = now.Members.Clockwise(known.Tile.Start)
            .Where(member => member.IsReachable && member.Peer.Node != calls.Self && !known.Contains(member.Peer.Node))
            .Take(AskedMax).ToList();
        if (asked.Count > 0)
        {
            var left = asked.Count;
            var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            foreach (var member in asked)
                calls.Send(member.Peer.Node, new ReplicaRequest.GetConfiguration(known.Tile), reply =>
                {
                    if (reply is ReplicaReply.Standing standing)
                        directory.Learn(standing.Newest);
                    if (Interlocked.Decrement(ref left) == 0)
                        heard.TrySetResult();
                });
            await Task.WhenAny(heard.Task, Task.Delay(Patience, time, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }

        return directory.Of(known.Tile) is { } newest && newest.IsNewerThan(known);
    }
}
