using System.Net;

namespace ChordChat.Node.Base;

/// <summary>Turns at costly work, with a bounded queue in front of them in which the address blocks take turns. Safe
/// for threads.</summary>
/// <remarks>docs/security.md, "Places of strangers": when the queue is full, a newcomer takes the place of whoever
/// waits in the block with the most.</remarks>
/// <param name="turns">How many at once: of a block, and in all.</param>
/// <param name="places">How many may wait or have a turn: of a block, and in all.</param>
/// <param name="tenure">How long a place is safe from others of the same block.</param>
internal sealed class FairQueue(
    (int PerBlock, int InAll) turns, (int PerBlock, int InAll) places, TimeSpan tenure, TimeProvider time)
{
    // Whoever waits has a place, so nothing else bounds the lines.
    private readonly FairTurns<string> _turns = new(turns.PerBlock, turns.InAll, waitingMax: int.MaxValue);
    private readonly FairPlaces _places = new(places.PerBlock, places.InAll, tenure, time);

    /// <summary>Waits for a turn of the block of this address.</summary>
    /// <returns>To be disposed of when the work is done; null when too many wait already, or a newcomer has got the
    /// place.</returns>
    public async Task<Turn?> TryTakeAsync(IPAddress? address, CancellationToken cancellation)
    {
        if (_places.TryEnter(address) is not { } place)
            return null;
        FairTurns<string>.Turn? turn = null;
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, place.Lost);
            turn = await _turns.TakeAsync(AddressBlock.OfSite(address), either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Lost to a newcomer.
        }
        finally
        {
            if (turn is null)
                place.Dispose();
        }

        if (turn is not null && place.TryStay())
            return new Turn(place, turn);
        turn?.Dispose();
        place.Dispose();
        return null;
    }

    internal sealed class Turn : IDisposable
    {
        private readonly FairPlaces.Place _place;
        private readonly FairTurns<string>.Turn _turn;

        internal Turn(FairPlaces.Place place, FairTurns<string>.Turn turn) => (_place, _turn) = (place, turn);

        /// <summary>The next one may begin; the place stays taken.</summary>
        public void LetOthers() => _turn.Dispose();

        public void Dispose()
        {
            _turn.Dispose();
            _place.Dispose();
        }
    }
}
