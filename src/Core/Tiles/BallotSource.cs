using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>Hands out ballots, none of them twice. One per process; safe to share between threads.</summary>
/// <param name="start">The number of this start of the node: durably counted up before the first ballot.</param>
/// <remarks>docs/protocol.md#what-a-member-may-ask. What makes a ballot unique is its last field, which holds the start
/// and a count. So a round that somebody raised out of all reason is outbid where it is met, and nowhere else; and the
/// own count begins anew now and then.</remarks>
public sealed class BallotSource(NodeId self, ulong start)
{
    /// <summary>Bits for the ballots of one start.</summary>
    private const int CountBits = 36;

    private readonly Lock _turn = new();
    private ulong _round;
    private ulong _count;

    public NodeId Self => self;

    /// <summary>A ballot of <paramref name="epoch"/> that beats <paramref name="above"/>.</summary>
    public Ballot Next(ulong epoch, Ballot above)
    {
        lock (_turn)
        {
            var floor = above.Epoch == epoch ? above.Round : 0;
            if (floor > _round && floor < Ballot.LeapMin)
                _round = floor;
            else if (_round >= Ballot.LeapMin)
                _round = 0; // Or it would be a leap where nobody has written yet. What is met is outbid.
            var round = Math.Max(++_round, Math.Min(floor, Ballot.RoundMax - 1) + 1);
            return new Ballot(epoch, round, self, (start << CountBits) | ++_count);
        }
    }
}
