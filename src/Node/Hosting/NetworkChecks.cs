using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using ChordChat.Node.Admission;
using ChordChat.Node.Discovery;

namespace ChordChat.Node.Hosting;

/// <summary>What the doctor asks of the network: the port, multicast, and other nodes' answers and clocks.</summary>
internal static class NetworkChecks
{
    private static readonly TimeSpan EchoMax = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SkewLow = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SkewMax = TimeSpan.FromMinutes(10);

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

    /// <summary>Asks this node, the seeds and whoever is remembered: do they answer, what time do they have.</summary>
    public static async IAsyncEnumerable<Finding> NodesAsync(
        string data, NodeOptions options, NodeIdentity identity,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        var addresses = NodeContact.Addresses(data)
            .Concat(options.Seeds.Select(s => s.ToString()))
            .Concat(new RememberedPeers(data).Load().Select(p => p.Address))
            .Distinct().Take(20).ToArray();
        using var http = new HttpClient(new ClusterTls(identity).CreateHandler(null)) { Timeout = AnswerMax };
        foreach (var address in addresses)
            yield return await NodeAsync(http, address, cancellation);
        if (addresses.Length == 0)
            yield return new(Verdict.Ok, "nodes", "none known yet");
    }

    private static async Task<Finding> NodeAsync(HttpClient http, string address, CancellationToken cancellation)
    {
        try
        {
            using var reply = await http.GetAsync($"https://{address}/readyz", cancellation);
            var skew = (reply.Headers.Date is { } theirs ? theirs - DateTimeOffset.UtcNow : TimeSpan.Zero).Duration();
            var ready = (await reply.Content.ReadAsStringAsync(cancellation)).Trim();
            var text = string.Create(
                CultureInfo.InvariantCulture,
                $"{address} answers ({ready}), its clock differs by {skew.TotalSeconds:0} s");
            return skew > SkewMax ? new(Verdict.Fail, "nodes", text, "set both clocks by NTP; its beacons are ignored")
                : skew > SkewLow ? new(Verdict.Warn, "nodes", text, "set both clocks by NTP")
                : reply.IsSuccessStatusCode ? new(Verdict.Ok, "nodes", text)
                : new(Verdict.Warn, "nodes", text, "wait until a majority of nodes runs");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException
            && !cancellation.IsCancellationRequested)
        {
            return new(
                Verdict.Warn, "nodes", $"{address} does not answer ({e.InnerException?.Message ?? e.Message})",
                "check that it runs, that its port is open, and that it is of this cluster");
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
