using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Discovery;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>Finds out whether a tile has moved on, when the members that this node knows do not answer: asks those who
/// should keep it by now.</summary>
internal sealed class ConfigurationSearch(
    ReplicaCalls calls, TileDirectory directory, RingDriver ring, RememberedPeers remembered,
    CoordinatorOptions options, TimeProvider time)
{
    private const int AskedMax = 16;
    private const int RoundsMax = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Follows the tile to its newest configuration, also when nobody has asked this node for anything there
    /// since it moved: asks the members that this node knows, too.</summary>
    public async Task RefreshAsync(RingId point, CancellationToken cancellation)
    {
        for (var round = 0; round < RoundsMax; round++)
            if (!await FindNewerAsync(point, directory.At(point), cancellation, asksMembers: true))
                return;
    }

    /// <param name="point">What is looked for in the tile: it may have been cut since.</param>
    /// <returns>Whether a configuration newer than <paramref name="known"/> is known now.</returns>
    public async Task<bool> FindNewerAsync(
        RingId point, TileConfiguration known, CancellationToken cancellation, bool asksMembers = false)
    {
        var now = ring.Now;
        var asked = now.Members.Clockwise(known.Tile.Start)
            .Where(member => member.IsReachable && member.Peer.Node != calls.Self
                && (asksMembers || !known.Contains(member.Peer.Node)))
            .OrderByDescending(member => known.Contains(member.Peer.Node))
            .Take(AskedMax).ToList();
        if (asked.Count > 0)
        {
            var left = asked.Count;
            var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var told = new List<TileConfiguration>();
            var isAlone = Vouching.HasOneOther(now.Membership, remembered.Earlier, ring.Clock);
            var question = new ReplicaRequest.GetConfiguration(TileId.Of(point, TileId.BitsMax));
            foreach (var member in asked)
                calls.Send(member.Peer.Node, question, reply =>
                {
                    if (reply is ReplicaReply.Standing { Newest: var newest } && newest.Tile.Contains(point)
                        && options.MayFollow(known, newest))
                        Hear(
                            newest, told,
                            (isAlone && newest.Generation == known.Generation)
                            || options.BelievedAlone(known, newest).Contains(member.Peer.Node));
                    if (Interlocked.Decrement(ref left) == 0)
                        heard.TrySetResult();
                });
            await Task.WhenAny(heard.Task, Task.Delay(Patience, time, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }

        return directory.At(point).IsNewerThan(known);
    }

    /// <summary>One node alone is not believed: docs/protocol.md#one-voice-is-a-claim.</summary>
    private void Hear(TileConfiguration newest, List<TileConfiguration> told, bool isEnough)
    {
        lock (told)
        {
            told.Add(newest);
            isEnough |= told.Count(other => other == newest) > 1;
        }

        if (isEnough)
            directory.Learn(newest);
    }
}
