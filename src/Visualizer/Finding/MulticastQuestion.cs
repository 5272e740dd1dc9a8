using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace ChordChat.Visualizer.Finding;

/// <summary>Asks the network for nodes: "chordchat? 1" out, "chordchat! 1 cluster name host:port" back.</summary>
internal static class MulticastQuestion
{
    private const int AnswersMax = 64;
    private static readonly IPEndPoint Group = new(IPAddress.Parse("239.255.67.67"), 7400);
    private static readonly byte[] Question = "chordchat? 1"u8.ToArray();

    /// <summary>The addresses that answered in time. Anybody can: what counts is the certificate there.</summary>
    public static async Task<IReadOnlyList<string>> AskAsync(TimeSpan patience, CancellationToken cancellation)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        enough.CancelAfter(patience);
        var answers = await Task.WhenAll(Interfaces().Select(local => AskAtAsync(local, enough.Token)));
        cancellation.ThrowIfCancellationRequested();
        return [.. answers.SelectMany(found => found).Distinct()];
    }

    /// <summary>The address in an answer, or null when it is none.</summary>
    public static string? AddressIn(ReadOnlySpan<byte> answer)
    {
        var words = Encoding.ASCII.GetString(answer).Split(' ', StringSplitOptions.TrimEntries);
        return words is ["chordchat!", "1", _, _, var address] && Addresses.IsAddress(address) ? address : null;
    }

    private static async Task<List<string>> AskAtAsync(IPAddress local, CancellationToken enough)
    {
        List<string> found = [];
        try
        {
            using var socket = new UdpClient(new IPEndPoint(local, 0));
            socket.Client.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 1);
            socket.Client.SetSocketOption(
                SocketOptionLevel.IP, SocketOptionName.MulticastInterface, local.GetAddressBytes());
            await socket.SendAsync(Question, Group, enough);
            while (found.Count < AnswersMax)
                if (AddressIn((await socket.ReceiveAsync(enough)).Buffer) is { } address)
                    found.Add(address);
        }
        catch (Exception cause) when (cause is SocketException or OperationCanceledException)
        {
            // Time is up, or this interface knows no multicast: what has been found stands.
        }

        return found;
    }

    private static IEnumerable<IPAddress> Interfaces() =>
        from nic in NetworkInterface.GetAllNetworkInterfaces()
        where nic.OperationalStatus == OperationalStatus.Up || nic.NetworkInterfaceType == NetworkInterfaceType.Loopback
        from address in nic.GetIPProperties().UnicastAddresses
        where address.Address.AddressFamily == AddressFamily.InterNetwork
        select address.Address;
}
