using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ChordChat.Node.Base;

namespace ChordChat.Node.Discovery;

/// <summary>The beacons' UDP port on one network of this machine; nodes of one machine share it.</summary>
internal sealed class MulticastPort : IDisposable
{
    private readonly Socket _receiver;
    private readonly Socket _sender;
    private readonly IPEndPoint _group;

    private MulticastPort(string network, IPAddress own, IPEndPoint group)
    {
        (Network, Own, _group) = (network, own, group);
        _receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _receiver.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        // Windows cannot bind to a group; elsewhere it keeps other groups' datagrams out.
        _receiver.Bind(OperatingSystem.IsWindows() ? new(IPAddress.Any, group.Port) : group);
        _receiver.SetSocketOption(
            SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(group.Address, own));
        if (OperatingSystem.IsLinux()) // IP_MULTICAST_ALL off: only what comes by this network, not a copy for each.
            _receiver.SetRawSocketOption(0, 49, [0, 0, 0, 0]);
        _sender.Bind(new IPEndPoint(own, 0));
        _sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, own.GetAddressBytes());
        _sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 1);
        _sender.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, true);
    }

    /// <summary>lo, eth0.</summary>
    public string Network { get; }

    public IPAddress Own { get; }

    public bool IsLoopback => IPAddress.IsLoopback(Own);

    /// <summary>Opens the port on every network of this machine that has an IPv4 address, loopback included.</summary>
    /// <param name="failed">Told about each network where it could not be.</param>
    public static List<MulticastPort> OpenAll(HostPort group, Action<string, SocketException> failed)
    {
        var opened = new List<MulticastPort>();
        foreach (var (network, own) in Networks())
        {
            try
            {
                opened.Add(new(network, own, new(group.Address!, group.Port)));
            }
            catch (SocketException e)
            {
                failed(network, e);
            }
        }

        return opened;
    }

    /// <summary>One address of each network that is up.</summary>
    public static IReadOnlyList<(string Network, IPAddress Own)> Networks() =>
    [
        .. from network in NetworkInterface.GetAllNetworkInterfaces()
           where network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
           let own = network.GetIPProperties().UnicastAddresses.Select(u => u.Address)
               .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork)
           where own is not null
           select (network.Name, own),
    ];

    public Task SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellation) =>
        _sender.SendToAsync(datagram, _group, cancellation).AsTask();

    /// <summary>Sends nothing if this port was closed since the question came.</summary>
    public async Task AnswerAsync(ReadOnlyMemory<byte> datagram, EndPoint to, CancellationToken cancellation)
    {
        try
        {
            await _sender.SendToAsync(datagram, to, cancellation);
        }
        catch (ObjectDisposedException)
        {
            // The networks have changed; who asked asks again.
        }
    }

    public ValueTask<SocketReceiveFromResult> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation) =>
        _receiver.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), cancellation);

    public void Dispose()
    {
        _receiver.Dispose();
        _sender.Dispose();
    }
}
