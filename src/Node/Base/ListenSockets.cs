using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace ChordChat.Node.Base;

/// <summary>The node's ports, taken before anything else starts: so everything knows its own address from the
/// beginning,
/// also with port 0, and a port in use is said at once.</summary>
internal sealed class ListenSockets : IDisposable
{
    private readonly Dictionary<IPEndPoint, Socket> _bound = [];

    public ListenSockets(NodeOptions options)
    {
        Node = Bind(options.Listen);
        Health = options.Health is { } health ? Bind(health) : null;
    }

    /// <summary>Where the node's TLS port really is.</summary>
    public IPEndPoint Node { get; }

    public IPEndPoint? Health { get; }

    /// <summary>Hands a socket over to the server, which closes it.</summary>
    public Socket Take(EndPoint endpoint) =>
        _bound.Remove((IPEndPoint)endpoint, out var socket)
            ? socket
            : throw new InvalidOperationException($"nobody bound {endpoint}");

    /// <summary>What other machines should be told: as advertised, or the address of the first network with a
    /// gateway.</summary>
    public string AddressToTell(NodeOptions options)
    {
        if (options.Advertise is { } told)
            return (told.Port == 0 ? told with { Port = Node.Port } : told).ToString();
        var address = IsAny(Node.Address) ? OwnAddress() : Node.Address;
        return new HostPort(address.ToString(), Node.Port).ToString();
    }

    public static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>Whether this machine can listen there.</summary>
    public static bool IsOwn(IPAddress address) => IPAddress.IsLoopback(address)
        || NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Any(own => own.Address.Equals(address));

    public void Dispose()
    {
        foreach (var socket in _bound.Values)
            socket.Dispose();
    }

    private IPEndPoint Bind(HostPort at)
    {
        try
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(new IPEndPoint(at.Address!, at.Port));
            var bound = (IPEndPoint)socket.LocalEndPoint!;
            _bound.Add(bound, socket);
            return bound;
        }
        catch (SocketException e)
        {
            Dispose();
            throw new StartRefusedException(ExitCode.CannotListen, e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse =>
                    $"the port of {at} is in use by another program. Choose another with --listen (0: any free one).",
                SocketError.AddressNotAvailable =>
                    $"{at.Host} is not an address of this machine. Give --listen one that is, or 0.0.0.0 for all.",
                SocketError.AccessDenied =>
                    $"the port of {at} needs special rights. Choose one above 1023 with --listen.",
                _ => $"cannot listen on {at}: {e.Message}",
            });
        }
    }

    public static IPAddress OwnAddress() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(n => n.OperationalStatus == OperationalStatus.Up
            && n.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .Select(n => n.GetIPProperties())
        .OrderByDescending(p => p.GatewayAddresses.Count > 0)
        .SelectMany(p => p.UnicastAddresses)
        .Select(u => u.Address)
        .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? IPAddress.Loopback;
}
