using ChordChat.Core.Ring;

namespace ChordChat.Core.Replication;

/// <summary>Hands out ballots, none of them twice. One per process; safe to share between threads.</summary>
/// <param name="incarnation">Durably counted up at every start of the node, before the first ballot.</param>
public sealed class BallotSource(NodeId self, ulong incarnation)
{
    private readonly Lock _turn = new();
    private ulong _round;

    public NodeId Self => self;

    /// <summary>A ballot of <paramref name="epoch"/> that beats <paramref name="above"/>.</summary>
    public Ballot Next(ulong epoch, Ballot above)
    {
        lock (_turn)
        {
            if (above.Epoch == epoch && above.Round > _round)
                _round = above.Round;
            return new Ballot(epoch, ++_round, self, incarnation);
        }
    }
}
