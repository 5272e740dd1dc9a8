using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Replication;

/// <summary>Asks the members of a configuration how far they are with it.</summary>
internal sealed class Standings(ReplicaCalls calls, TileDirectory directory, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>The members that answer as active in exactly this configuration; what newer ones they know is learned.
    /// </summary>
    /// <param name="point">What is looked for in the tile: it may have been cut since.</param>
    public async Task<IReadOnlyList<NodeId>> ActiveAsync(
        RingId point, TileConfiguration at, CancellationToken cancellation)
    {
        var answers = await Task.WhenAll(at.Members.Select(member => AskAsync(member, point, at, cancellation)));
        return [.. at.Members.Where((_, i) => answers[i])];
    }

    private async Task<bool> AskAsync(
        NodeId member, RingId point, TileConfiguration at, CancellationToken cancellation)
    {
        var answered = new TaskCompletionSource<ReplicaReply?>(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Send(
            member, new ReplicaRequest.GetConfiguration(TileId.Of(point, TileId.BitsMax)),
            reply => answered.TrySetResult(reply));
        try
        {
            if (await answered.Task.WaitAsync(Patience, time, cancellation) is not ReplicaReply.Standing standing)
                return false;
            directory.Learn(standing.Newest);
            return standing.Phase == TilePhase.Active && standing.Newest.At == at.At;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}
