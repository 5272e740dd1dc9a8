using System.Collections.Immutable;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Replication;

/// <summary>Asks the members of a configuration which messages of a set they have.</summary>
internal sealed class Holders(ReplicaCalls calls, TileDirectory directory, TimeProvider time)
{
    /// <summary>Ids in one question.</summary>
    public const int IdsMax = TombstoneCollector.IdsMax;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>For each id the members that are active in exactly this configuration and have the message, or a mark
    /// that it was acknowledged. What newer configurations they know is learned.</summary>
    /// <param name="ids">At most <see cref="IdsMax"/>.</param>
    public async Task<IReadOnlyList<NodeId>[]> AskAsync(
        TileConfiguration at, SetKey set, ImmutableArray<MessageId> ids, CancellationToken cancellation)
    {
        var question = new ReplicaRequest.GetAges(at.At, set.Name, ids);
        var answers = await Task.WhenAll(at.Members.Select(member => AskAsync(member, question, cancellation)));
        return [.. ids.Select((_, i) => at.Members.Where((_, member) => Has(answers[member], i)).ToArray())];

        bool Has(ImmutableArray<EntryAge> told, int i) => told.Length == ids.Length && told[i] != EntryAge.Absent;
    }

    private async Task<ImmutableArray<EntryAge>> AskAsync(
        NodeId member, ReplicaRequest.GetAges question, CancellationToken cancellation)
    {
        var answered = new TaskCompletionSource<ReplicaReply?>(TaskCreationOptions.RunContinuationsAsynchronously);
        calls.Send(member, question, reply => answered.TrySetResult(reply));
        try
        {
            switch (await answered.Task.WaitAsync(Patience, time, cancellation))
            {
                case ReplicaReply.Ages ages:
                    return ages.Of;
                case ReplicaReply.Stale stale when question.At.Tile.Contains(stale.Newest.Tile):
                    directory.Learn(stale.Newest);
                    return [];
                default:
                    return [];
            }
        }
        catch (TimeoutException)
        {
            return [];
        }
    }
}
