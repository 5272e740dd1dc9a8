using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Commands;

/// <summary>What the doctor asks of the network: the port and multicast.</summary>
internal static class NetworkChecks
{
    private static readonly TimeSpan EchoMax = TimeSpan.FromSeconds(1);

    public static Finding Port(NodeOptions options)
    {
        try
        {
            using var sockets = new ListenSockets(options);
            var told = sockets.AddressToTell(options);
            return new(Verdict.Ok, "port", $"{options.Listen} is free; others are told {told}");
        }
        catch (StartRefusedException e)
        {
            return new(Verdict.Fail, "port", e.Message);
        }
    }

    /// <summary>Where the running node is, as it wrote it into DATA/address.</summary>
    public static Finding InUse(string data, bool isAnswered)
    {
        var address = AddressFile.Read(data) ?? "no address yet";
        return isAnswered
            ? new(Verdict.Ok, "port", $"the running node answers at {address}; these checks use its settings")
            : new(Verdict.Fail, "port", $"the node runs but does not answer at {address} (DATA/address)",
                "see its log; these checks use the settings in DATA/appsettings.json and the environment");
    }

    /// <summary>Sends a datagram to the group on each network and waits for it to come back.</summary>
    public static async IAsyncEnumerable<Finding> MulticastAsync(
        NodeOptions options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!options.Multicast)
        {
            yield return options.Seeds.Length > 0
                ? new(Verdict.Ok, "multicast", "off; there are seeds")
                : new(Verdict.Warn, "multicast", "off, and no seed is named", "name one with --seed HOST:PORT");
            yield break;
        }

        var failures = new List<Finding>();
        var ports = MulticastPort.OpenAll(options.MulticastGroup, (network, e) => failures.Add(new(
            Verdict.Warn, "multicast", $"{network}: {e.Message}", "use --seed on this network")));
        foreach (var finding in failures)
            yield return finding;
        foreach (var port in ports)
        {
            using (port)
                yield return await EchoAsync(port, cancellation)
                    ? new(Verdict.Ok, "multicast", $"works on {port.Network} ({port.Own})")
                    : new(Verdict.Warn, "multicast", $"nothing comes back on {port.Network} ({port.Own})",
                        $"let UDP {options.MulticastGroup.Port} pass the firewall, or use --seed on this network");
        }
    }

    private static async Task<bool> EchoAsync(MulticastPort port, CancellationToken cancellation)
    {
        var probe = Encoding.ASCII.GetBytes($"chordchat-doctor {Guid.NewGuid():n}");
        var buffer = new byte[Beacon.BytesMax];
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(EchoMax);
        try
        {
            await port.SendAsync(probe, deadline.Token);
            while (true)
            {
                var received = await port.ReceiveAsync(buffer, deadline.Token);
                if (buffer.AsSpan(0, received.ReceivedBytes).SequenceEqual(probe))
                    return true;
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException
            && !cancellation.IsCancellationRequested)
        {
            return false;
        }
    }
}
