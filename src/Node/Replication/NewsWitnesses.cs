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

    /// <summary>The claim as far as others know it too: a majority of those who are said to be members, who claims it
    /// counted if he is one of them, knows that configuration or a later one.</summary>
    /// <returns>Null when they do not. Without the configuration before if none of them names the same.</returns>
    public async Task<ReplicaRequest.NewConfiguration?> ConfirmAsync(NodeId from, ReplicaRequest.NewConfiguration claim)
    {
        if (Interlocked.Increment(ref _open) > AtOnceMax)
        {
            Interlocked.Decrement(ref _open);
            return null; // It is told again.
        }

        try
        {
            return await AskAsync(from, claim);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task<ReplicaRequest.NewConfiguration?> AskAsync(NodeId from, ReplicaRequest.NewConfiguration claim)
    {
        var claimed = claim.Next;
        var asked = claimed.Members.Where(node => node != from && node != calls.Self).ToArray();
        var needed = Math.Max(1, claimed.Majority - (claimed.Contains(from) ? 1 : 0));
        if (asked.Length < needed)
            return null;
        var (yes, left, isSameBefore) = (0, asked.Length, false);
        var known = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var node in asked)
            calls.Send(node, new ReplicaRequest.GetConfiguration(claimed.Tile), reply =>
            {
                if (reply is ReplicaReply.Standing { Newest: var newest } standing && newest.Tile == claimed.Tile
                    && (newest == claimed || newest.IsNewerThan(claimed)))
                {
                    if (newest == claimed && standing.Previous == claim.Previous)
                        Volatile.Write(ref isSameBefore, true);
                    if (Interlocked.Increment(ref yes) == needed)
                        known.TrySetResult(true);
                }

                if (Interlocked.Decrement(ref left) == 0)
                    known.TrySetResult(false);
            });
        await Task.WhenAny(known.Task, Task.Delay(Patience, time));
        if (known.Task is not { IsCompletedSuccessfully: true, Result: true })
            return null;
        return Volatile.Read(ref isSameBefore) ? claim : claim with { Previous = null };
    }
}
