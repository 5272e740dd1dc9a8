using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Node.Base;

namespace ChordChat.Node.Tiles;

/// <summary>Asks the other members about registers whose copy here was offered a value that does not follow, and takes
/// what a majority of them holds.</summary>
/// <remarks>docs/protocol.md#value-rules.</remarks>
internal sealed class DisputeLoop(
    TileBoard board,
    ReplicaCalls calls,
    TileDirectory directory,
    CoordinatorOptions patience,
    RepairOptions options,
    TimeProvider time,
    LoopFaults<DisputeLoop> faults) : ILoop
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    public Task RunAsync(CancellationToken stopping) =>
        Periodic.RunAsync(options.DisputesEvery, time, RoundAsync, stopping);

    private async ValueTask RoundAsync(CancellationToken cancellation)
    {
        foreach (var dispute in await OpenAsync(cancellation))
            if (board.Of(dispute.At.Tile) is { Phase: TilePhase.Active, Configuration: var now }
                && now.At == dispute.At)
                await faults.TryAsync(
                    () => Operation.RunAsync(
                        new DisputeSettling(calls.Self, now, dispute.Key, patience), calls, directory, time,
                        cancellation),
                    cancellation);
    }

    private async Task<IReadOnlyList<Dispute>> OpenAsync(CancellationToken cancellation)
    {
        var reply = await calls.AskAsync(calls.Self, new ReplicaRequest.GetDisputes(), AnswerMax, cancellation);
        return reply is ReplicaReply.Disputed(var disputes) ? disputes : []; // If none came: in the next round.
    }
}
