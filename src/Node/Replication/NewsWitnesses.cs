using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Replication;

/// <summary>Asks others whether a configuration is decided that a node names which need not know.</summary>
/// <remarks>docs/protocol.md#what-a-member-may-ask. A node that was away for long hears of its tiles from nodes that it
/// never heard of as members; one that lies names itself. So more than one must say so.</remarks>
internal sealed class NewsWitnesses(ReplicaCalls calls, TimeProvider time)
{
    private const int AtOnceMax = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private int _open;

    /// <summary>Whether a majority of those who are said to be members knows of it, or of a later one; who claims it
    /// is one of them, if he is.</summary>
    public async Task<bool> KnowAsync(NodeId from, TileConfiguration claimed)
    {
        if (Interlocked.Increment(ref _open) > AtOnceMax)
        {
            Interlocked.Decrement(ref _open);
            return false; // It is told again.
        }

        try
        {
            return await AskAsync(from, claimed);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<bool> AskAsync(NodeId from, TileConfiguration claimed)
    {
        var asked = claimed.Members.Where(node => node != from && node != calls.Self).ToArray();
        var needed = Math.Max(1, claimed.Majority - (claimed.Contains(from) ? 1 : 0));
        if (asked.Length < needed)
            return false;
        var (yes, left) = (0, asked.Length);
        var known = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var node in asked)
            calls.Send(node, new ReplicaRequest.GetConfiguration(claimed.Tile), reply =>
            {
                if (reply is ReplicaReply.Standing { Newest: var newest } && newest.Tile == claimed.Tile
                    && (newest == claimed || newest.IsNewerThan(claimed)) && Interlocked.Increment(ref yes) == needed)
                    known.TrySetResult(true);
                if (Interlocked.Decrement(ref left) == 0)
                    known.TrySetResult(false);
            });
        await Task.WhenAny(known.Task, Task.Delay(Patience, time));
        return known.Task is { IsCompletedSuccessfully: true, Result: true };
    }
}
