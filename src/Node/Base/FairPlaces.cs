using System.Net;

namespace ChordChat.Node.Base;

/// <summary>How many strangers may wait or watch: of an address block, and in all. Safe for threads.</summary>
/// <remarks>docs/security.md, "Places of strangers". When all places are taken, a newcomer gets that of whoever has had
/// one for longest in the block that has the most, unless the newcomer's own block has as many. Who holds a place makes
/// room only in the largest block, and for a block that has at most half as many then.</remarks>
/// <param name="tenure">How long a place is safe from newcomers of the same block.</param>
internal sealed class FairPlaces(int perBlockMax, int max, TimeSpan tenure, TimeProvider time)
{
    private readonly TimeProvider _time = time;
    private readonly Lock _turn = new();
    private readonly Dictionary<string, Block> _blocks = [];
    private int _taken;
    private long _entered;

    /// <returns>To be disposed of when its holder goes; null when there is no room.</returns>
    public Place? TryEnter(IPAddress? address)
    {
        var name = AddressBlock.OfSite(address);
        Place? gone = null;
        Place place;
        lock (_turn)
        {
            var own = _blocks.GetValueOrDefault(name);
            if (own?.Taken >= perBlockMax || _taken >= max)
            {
                gone = own?.Taken >= perBlockMax ? OldestOf(own) : OldestOfAll(own);
                if (gone is null)
                    return null;
                Leave(gone);
            }

            if (!_blocks.TryGetValue(name, out own))
                _blocks[name] = own = new Block(name);
            place = new Place(this, own, ++_entered, _time.GetTimestamp());
            own.Taken++;
            own.Yielding.AddLast(place.Node);
            _taken++;
        }

        gone?.End(); // Outside the lock: its holder goes on from here.
        return place;
    }

    private Place? OldestOf(Block own) =>
        own.Yielding.First is { Value: var oldest } && _time.GetElapsedTime(oldest.Since) > tenure ? oldest : null;

    private Place? OldestOfAll(Block? own)
    {
        var idlest = _blocks.Values.Where(block => block.Yielding.First is not null)
            .MaxBy(block => (block.Yielding.Count, -block.Yielding.First!.Value.Number));
        var largest = _blocks.Values.MaxBy(block => block.Open);
        if (idlest?.Yielding.Count > (own?.Yielding.Count ?? 0)
            && (2 * idlest.Open >= largest!.Open || OldestOf(idlest) is not null))
            return idlest.Yielding.First!.Value;
        if (largest?.Open > 2 * ((own?.Open ?? 0) + 1))
            return (largest.Yielding.First ?? largest.Holding.First!).Value;
        return own is null ? null : OldestOf(own);
    }

    /// <summary>Once; the caller has the lock.</summary>
    private void Leave(Place place)
    {
        if (place.IsLeft)
            return;
        place.IsLeft = true;
        _taken--;
        Stay(place);
        if (--place.Block.Taken == 0)
            _blocks.Remove(place.Block.Name);
    }

    private static void Stay(Place place) => place.Node.List?.Remove(place.Node);

    internal sealed class Block(string name)
    {
        public string Name => name;

        public int Taken { get; set; }

        /// <summary>Those who have to make room; the oldest first.</summary>
        public LinkedList<Place> Yielding { get; } = new();

        /// <summary>Those who make room when there are far more of them than of others; the oldest first.</summary>
        public LinkedList<Place> Holding { get; } = new();

        /// <summary>All but those who stay.</summary>
        public int Open => Yielding.Count + Holding.Count;
    }

    internal sealed class Place : IDisposable
    {
        private readonly FairPlaces _of;

        // Never disposed of: it has no timer, and whoever takes the place may be ending it just now.
        private readonly CancellationTokenSource _lost = new();

        public Place(FairPlaces of, Block block, long number, long since)
        {
            (_of, Block, Number, Since) = (of, block, number, since);
            Node = new(this);
        }

        /// <summary>Cancelled when a newcomer has got this place.</summary>
        public CancellationToken Lost => _lost.Token;

        internal Block Block { get; }

        internal long Number { get; private set; }

        internal long Since { get; private set; }

        internal LinkedListNode<Place> Node { get; }

        internal bool IsLeft { get; set; }

        /// <summary>From now on it makes room for nobody.</summary>
        /// <returns>False when it is lost already.</returns>
        public bool TryStay()
        {
            lock (_of._turn)
            {
                Stay(this);
                return !IsLeft;
            }
        }

        /// <summary>From now on it makes room only when its block has far more than the newcomer's; nothing changes
        /// for one that stays.</summary>
        public void Hold()
        {
            lock (_of._turn)
            {
                if (IsLeft || Node.List != Block.Yielding)
                    return;
                Stay(this);
                Block.Holding.AddLast(Node);
            }
        }

        /// <summary>From now on it makes room again, as if it had just come.</summary>
        public void Yield()
        {
            lock (_of._turn)
            {
                if (IsLeft || Node.List == Block.Yielding)
                    return;
                Stay(this);
                (Number, Since) = (++_of._entered, _of._time.GetTimestamp());
                Block.Yielding.AddLast(Node);
            }
        }

        public void Dispose()
        {
            lock (_of._turn)
                _of.Leave(this);
        }

        internal void End() => _lost.Cancel();
    }
}
