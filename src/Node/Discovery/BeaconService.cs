using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Threading.Channels;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Discovery;

/// <summary>Sends this node's beacons and hears the others', on every network of the machine.</summary>
internal sealed class BeaconService(
    LocalNode node, NodeIdentity identity, NodeOptions options, Company company, BeaconHearing hearing,
    TimeProvider time, DiscoveryLog log) : ILoop
{
    private const int ReceivedPerSecondMax = 200; // For each network; what is over is a flood, not news.
    private const int InboxMax = 256;
    private readonly Channel<Received> _inbox = Channel.CreateBounded<Received>(
        new BoundedChannelOptions(InboxMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private List<MulticastPort> _ports = [];
    private IReadOnlyList<(string, IPAddress)> _networks = [];
    private long _lastSentMs;

    public async Task RunAsync(CancellationToken stopping)
    {
        if (!options.Multicast)
            return;
        var started = time.GetTimestamp();
        var schedule = new BeaconSchedule(TimeSpan.Zero, Random.Shared);
        try
        {
            var received = _inbox.Reader.WaitToReadAsync(stopping).AsTask();
            while (!stopping.IsCancellationRequested)
            {
                var wait = schedule.Due - time.GetElapsedTime(started);
                if (wait > TimeSpan.Zero)
                    await Task.WhenAny(received, Task.Delay(wait, time, stopping));
                while (_inbox.Reader.TryRead(out var item))
                    await HearAsync(item, schedule, time.GetElapsedTime(started), stopping);
                if (received.IsCompleted)
                    received = _inbox.Reader.WaitToReadAsync(stopping).AsTask();
                var now = time.GetElapsedTime(started);
                if (now >= schedule.Due)
                    await SendAsync(schedule, now, stopping);
            }
        }
        finally
        {
            Close();
            _networks = [];
        }
    }

    private async Task SendAsync(BeaconSchedule schedule, TimeSpan now, CancellationToken stopping)
    {
        try
        {
            FollowNetworks(stopping);
        }
        catch (Exception e) when (e is SocketException or NetworkInformationException or IOException)
        {
            _networks = []; // Whatever was half done is done anew.
            log.CannotFollow(e.Message); // For want of descriptors, for example. The next beacon tries again.
        }

        _lastSentMs = Beacon.SentAfter(_lastSentMs, time.GetUtcNow());
        var self = node.Self;
        if (!HostPort.TryParse(self.Address, out var address))
            throw new InvalidOperationException($"own address {self.Address} is none");
        var beacon = new Beacon(
            identity.Genesis.ClusterHex, self.Node, self.Name, address, node.Incarnation, company.IsAlone, _lastSentMs);
        var datagram = beacon.Write(identity.Secret);
        foreach (var port in _ports.Where(p => p.IsLoopback || !IsLoopback(address)))
        {
            try
            {
                await port.SendAsync(datagram, stopping);
            }
            catch (SocketException e)
            {
                log.CannotSend(port.Network, e.Message);
            }
        }

        schedule.Sent(now, company.IsAlone);
    }

    private async Task HearAsync(
        Received item, BeaconSchedule schedule, TimeSpan now, CancellationToken stopping)
    {
        switch (hearing.Hear(item.Datagram, time.GetUtcNow()))
        {
            case BeaconVerdict.Ours { Beacon.IsAlone: true }:
                schedule.HeardLonely(now);
                break;
            case BeaconVerdict.Asked when HostPort.TryParse(node.Self.Address, out var own)
                && (item.Port.IsLoopback || !IsLoopback(own)):
                try
                {
                    var answer = Query.Answer(identity.Genesis.ClusterHex, node.Self.Name, own);
                    await item.Port.AnswerAsync(answer, item.From, stopping);
                }
                catch (SocketException e)
                {
                    log.CannotSend(item.Port.Network, e.Message);
                }

                break;
        }
    }

    // Cables are plugged, leases change: the ports and the address that we tell follow.
    private void FollowNetworks(CancellationToken stopping)
    {
        var networks = MulticastPort.Networks();
        if (networks.SequenceEqual(_networks))
            return;
        Close();
        _ports = MulticastPort.OpenAll(options.MulticastGroup, (network, e) => log.NoBeacons(network, e.Message));
        foreach (var port in _ports)
            _ = ListenAsync(port, stopping); // Ends when its port is closed.
        if (_networks.Count > 0 && options.Advertise is null && HostPort.TryParse(node.Self.Address, out var address)
            && ListenSockets.IsAny(options.Listen.Address!))
        {
            var moved = (address with { Host = ListenSockets.OwnAddress().ToString() }).ToString();
            if (moved != node.Self.Address)
            {
                log.Moved(node.Self.Name, node.Self.Address, moved);
                node.MoveTo(moved);
            }
        }

        _networks = networks;
    }

    private async Task ListenAsync(MulticastPort port, CancellationToken stopping)
    {
        var limit = new RateLimit(ReceivedPerSecondMax, time);
        var buffer = new byte[Beacon.BytesMax + 1];
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var received = await port.ReceiveAsync(buffer, stopping);
                if (limit.Allows())
                    _inbox.Writer.TryWrite(new(buffer[..received.ReceivedBytes], received.RemoteEndPoint, port));
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException
                || e is SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (Exception e) // Whatever it was: nobody else listens on this network.
            {
                log.CannotHear(port.Network, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), time, CancellationToken.None);
            }
        }
    }

    private void Close()
    {
        foreach (var port in _ports)
            port.Dispose();
        _ports = [];
    }

    private static bool IsLoopback(HostPort address) => address.Address is { } ip && IPAddress.IsLoopback(ip);

    private sealed record Received(byte[] Datagram, EndPoint From, MulticastPort Port);
}
