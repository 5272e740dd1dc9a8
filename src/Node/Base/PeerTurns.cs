using ChordChat.Core.Ring;

namespace ChordChat.Node.Base;

/// <summary>Work with each of many peers, a few at a time, of whom none holds up the others: each has a limited time,
/// and one whose work has not ended is left out of the next round.</summary>
/// <remarks>docs/protocol.md#endless-transfer. One round at a time.</remarks>
/// <param name="report">Gets what breaks off the work with a peer; its turn comes again.</param>
internal sealed class PeerTurns(
    int atOnceMax, TimeSpan workMax, TimeSpan roundMax, Action<Exception> report, TimeProvider time)
{
    private readonly Dictionary<NodeId, Task> _running = [];
    private readonly FairTurns<NodeId> _turns = new(perHolderMax: 1, atOnceMax, waitingMax: 1);

    /// <summary>Ends when all have ended, or after the time of a round.</summary>
    /// <param name="work">Its token is cancelled when the time is over.</param>
    public async Task RunAsync(
        IEnumerable<NodeId> peers, Func<NodeId, CancellationToken, Task> work, CancellationToken stopping)
    {
        foreach (var peer in peers.Where(peer => !_running.ContainsKey(peer)).ToList())
            _running[peer] = WorkAsync(peer, work, stopping);
        try
        {
            await Task.WhenAll(_running.Values).WaitAsync(roundMax, time, stopping);
        }
        catch (TimeoutException)
        {
            // The others go on beside the next round.
        }

        foreach (var (peer, task) in _running.Where(one => one.Value.IsCompleted).ToList())
        {
            _running.Remove(peer);
            await task; // It throws when the node stops, and only then.
        }
    }

    private async Task WorkAsync(NodeId peer, Func<NodeId, CancellationToken, Task> work, CancellationToken stopping)
    {
        using var turn = await _turns.TakeAsync(peer, stopping);
        try
        {
            using var limit = new CancellationTokenSource(workMax, time);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
            await work(peer, end.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // What is left comes in a later round.
        }
        catch (Exception fault) when (!stopping.IsCancellationRequested)
        {
            report(fault);
        }
    }
}
