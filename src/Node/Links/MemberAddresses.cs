using System.Net;
using ChordChat.Node.Base;

namespace ChordChat.Node.Links;

/// <summary>Addresses from which somebody with a certificate of this cluster has called since this node started. Safe
/// for threads.</summary>
internal sealed class MemberAddresses
{
    private const int CountMax = 4_096;

    private readonly Lock _turn = new();
    private readonly HashSet<IPAddress> _known = [];

    public void Add(IPAddress address)
    {
        lock (_turn)
        {
            if (_known.Count >= CountMax)
                _known.Clear(); // They come back with their next connections.
            _known.Add(AddressBlock.Holder(address));
        }
    }

    public bool Contains(IPAddress address)
    {
        lock (_turn)
            return _known.Contains(AddressBlock.Holder(address));
    }
}
