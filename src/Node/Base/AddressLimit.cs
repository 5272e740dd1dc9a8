using System.Net;
using Microsoft.AspNetCore.Connections;

namespace ChordChat.Node.Base;

/// <summary>Closes connections of an address (of IPv6: a /64) that has its share already. Safe for threads.</summary>
internal sealed class AddressLimit(int max)
{
    private readonly Lock _turn = new();
    private readonly Dictionary<IPAddress, int> _open = [];

    public ConnectionDelegate Limit(ConnectionDelegate next) => async connection =>
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        if (!TryEnter(address))
            return; // Returning closes it.
        try
        {
            await next(connection);
        }
        finally
        {
            Leave(address);
        }
    };

    public bool TryEnter(IPAddress address)
    {
        address = AddressBlock.Holder(address);
        lock (_turn)
        {
            var open = _open.GetValueOrDefault(address);
            if (open >= max)
                return false;
            _open[address] = open + 1;
            return true;
        }
    }

    public void Leave(IPAddress address)
    {
        address = AddressBlock.Holder(address);
        lock (_turn)
            if (--_open[address] == 0)
                _open.Remove(address);
    }
}
