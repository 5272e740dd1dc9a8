using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;

namespace ChordChat.Node.Tiles;

/// <summary>Asks others whether a configuration is decided that one node tells of.</summary>
/// <remarks>docs/protocol.md#one-voice-is-a-claim. A node that comes back hears of hundreds of tiles at once; what
/// cannot be asked about now waits. Each teller has a queue of its own, so that one who makes up many keeps nobody
/// else's waiting.</remarks>
internal sealed class NewsWitnesses(
    ReplicaCalls calls, TileDirectory directory, CoordinatorOptions options, TimeProvider time)
{
    private const int AtOnceMax = 64;
    private const int WaitingMax = 4_096;

    private readonly Dictionary<NodeId, Teller> _tellers = [];

    /// <summary>A member says that this epoch has ended, which nobody confirms.</summary>
    public event Action<TileEpoch>? Doubted;

    /// <returns>Null when nobody else says so, or too much waits already: it is told again.</returns>
    public async Task<ReplicaRequest.NewConfiguration?> ConfirmAsync(
        NodeId from, ReplicaRequest.NewConfiguration claim, TileConfiguration known)
    {
        if (Enter(from, claim.Next) is not { } teller)
            return null;
        try
        {
            await teller.Turn.WaitAsync();
            try
            {
                var check = new NewsCheck(from, claim, known, options);
                await Operation.RunAsync(check, calls, directory, time, CancellationToken.None);
                if (check.EndDoubted is { } end)
                    Doubted?.Invoke(end);
                return check.Outcome;
            }
            finally
            {
                teller.Turn.Release();
            }
        }
        finally
        {
            Leave(from, teller, claim.Next);
        }
    }

    /// <summary>Null when that is being asked about for this teller, or its queue is full.</summary>
    private Teller? Enter(NodeId from, TileConfiguration next)
    {
        lock (_tellers)
        {
            if (!_tellers.TryGetValue(from, out var teller))
                _tellers[from] = teller = new Teller();
            return teller.Claims.Count < WaitingMax && teller.Claims.Add(next) ? teller : null;
        }
    }

    private void Leave(NodeId from, Teller teller, TileConfiguration next)
    {
        lock (_tellers)
        {
            teller.Claims.Remove(next);
            if (teller.Claims.Count == 0)
                _tellers.Remove(from);
        }
    }

    private sealed class Teller
    {
        public HashSet<TileConfiguration> Claims { get; } = [];

        public SemaphoreSlim Turn { get; } = new(AtOnceMax);
    }
}
