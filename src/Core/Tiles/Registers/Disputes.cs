using System.Collections.Immutable;
using System.Runtime.InteropServices;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Registers;

/// <summary>A register whose copy here was offered a value that does not follow its own.</summary>
public readonly record struct Dispute(TileEpoch At, string Key);

/// <summary>Remembers what is disputed, until somebody asks about it.</summary>
/// <remarks>
/// docs/protocol.md#disputes. Whoever lies can begin as many as it likes that nobody can settle, also in the name of
/// another member, whose repair then brings the value. So each share of a node and a tile is bounded, all have turns,
/// and of those in one share each has the same chance.
/// </remarks>
internal sealed class Disputes
{
    /// <summary>Those that wait. Further ones take the places of the share with the most.</summary>
    private const int Max = 1_024;

    /// <summary>Those of one tile that one node has brought.</summary>
    private const int OfShareMax = 64;

    /// <summary>Those that are asked about in one round.</summary>
    private const int OfRoundMax = 64;

    private readonly Dictionary<(TileId Tile, NodeId By), Share> _shares = [];
    private readonly HashSet<Dispute> _all = [];
    private ulong _random = 1;

    public void Note(Dispute dispute, NodeId by)
    {
        if (!_all.Add(dispute))
            return;
        if (!_shares.TryGetValue((dispute.At.Tile, by), out var share))
            _shares[(dispute.At.Tile, by)] = share = new Share();
        share.Seen++;
        if (share.Disputes.Count >= OfShareMax || (_all.Count > Max && !MakeRoom(share)))
            Replace(share, dispute);
        else
            share.Disputes.Add(dispute);
    }

    /// <summary>Some to ask about. They are remembered no longer: what cannot be settled now is brought again.
    /// </summary>
    /// <param name="isHere">Whether this replica answers for the epoch still; what is disputed in others is
    /// forgotten.</param>
    public ImmutableArray<Dispute> Take(Func<TileEpoch, bool> isHere)
    {
        Forget([.. _all.Where(dispute => !isHere(dispute.At))]);
        foreach (var share in _shares.Values)
            Shuffle(share.Disputes);
        var shares = _shares.Values.ToList();
        Shuffle(shares);
        ImmutableArray<Dispute> taken =
        [
            .. shares.SelectMany(share => share.Disputes.Select((dispute, turn) => (dispute, turn)))
                .OrderBy(one => one.turn).Take(OfRoundMax).Select(one => one.dispute),
        ];
        Forget(taken);
        return taken;
    }

    /// <summary>It is settled.</summary>
    public void Drop(Dispute dispute) => Forget([dispute]);

    private void Forget(ImmutableArray<Dispute> disputes)
    {
        foreach (var dispute in disputes.Where(_all.Remove))
            foreach (var (at, share) in _shares.Where(share => share.Value.Disputes.Remove(dispute)).ToList())
                if (share.Disputes.Count == 0)
                    _shares.Remove(at);
    }

    /// <returns>False when no share has more than this one.</returns>
    private bool MakeRoom(Share share)
    {
        var largest = _shares.Values.MaxBy(other => other.Disputes.Count)!;
        if (largest.Disputes.Count <= share.Disputes.Count)
            return false;
        var place = Below(largest.Disputes.Count);
        _all.Remove(largest.Disputes[place]);
        largest.Disputes.RemoveAt(place);
        return true;
    }

    /// <summary>Vitter, Random Sampling with a Reservoir (1985), algorithm R: the first and the last are kept with the
    /// same chance.</summary>
    private void Replace(Share share, Dispute dispute)
    {
        var place = Below(share.Seen);
        _all.Remove(place < share.Disputes.Count ? share.Disputes[place] : dispute);
        if (place < share.Disputes.Count)
            share.Disputes[place] = dispute;
    }

    private void Shuffle<T>(List<T> list)
    {
        var span = CollectionsMarshal.AsSpan(list);
        for (var i = span.Length - 1; i > 0; i--)
        {
            var other = Below(i + 1);
            (span[i], span[other]) = (span[other], span[i]);
        }
    }

    /// <summary>Nobody else knows how often it was called.</summary>
    private int Below(int count)
    {
        _random = unchecked((_random * 6364136223846793005) + 1442695040888963407); // Knuth's MMIX generator.
        return (int)((_random >> 33) % (ulong)count);
    }

    private sealed class Share
    {
        public List<Dispute> Disputes { get; } = [];

        /// <summary>How many were noted since it was empty.</summary>
        public int Seen { get; set; }
    }
}
