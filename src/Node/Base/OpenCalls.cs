using System.Net;

namespace ChordChat.Node.Base;

/// <summary>How many calls of one kind may stay open: of an address (of IPv6: a /64), and in all. Safe for
/// threads.</summary>
internal sealed class OpenCalls(int perAddressMax, int max)
{
    private readonly AddressLimit _addresses = new(perAddressMax);
    private int _open;

    /// <returns>To be disposed of when the call is over; null when there is no room.</returns>
    public IDisposable? TryOpen(IPAddress? address)
    {
        var place = address ?? IPAddress.None;
        if (Interlocked.Increment(ref _open) <= max && _addresses.TryEnter(place))
            return new Place(this, place);
        Interlocked.Decrement(ref _open);
        return null;
    }

    private sealed class Place(OpenCalls of, IPAddress address) : IDisposable
    {
        private int _isLeft;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isLeft, 1) != 0)
                return;
            of._addresses.Leave(address);
            Interlocked.Decrement(ref of._open);
        }
    }
}
