using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace ChordChat.Sdk.Nodes;

/// <summary>Asks the local network who serves a cluster. Answers are hints: TLS proves who a node is.</summary>
internal static class MulticastQuestion
{
    private const string Question = "chordchat? 1";
    private const string AnswerPrefix = "chordchat! 1 ";
    private static readonly IPEndPoint Group = new(IPAddress.Parse("239.255.67.67"), 7400);

    /// <summary>Asks on every usable interface and collects answers until <paramref name="wait"/> is over.</summary>
    /// <returns>Addresses of each machine that answered in turn; empty on networks without multicast.</returns>
    public static async Task<IReadOnlyList<string>> AskAsync(TimeSpan wait, CancellationToken cancellation)
    {
        var found = new MulticastAnswers();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(wait);
        await Task.WhenAll(LocalAddresses().Select(local => AskAsync(local, found, deadline.Token)));
        cancellation.ThrowIfCancellationRequested();
        return found.InTurn();
    }

    /// <summary>The address in an answer <c>chordchat! 1 CLUSTER NAME HOST:PORT</c>; null for anything else.</summary>
    internal static string? ParseAnswer(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > 512)
            return null;
        var text = Encoding.ASCII.GetString(datagram);
        if (!text.StartsWith(AnswerPrefix, StringComparison.Ordinal))
            return null;
        var parts = text[AnswerPrefix.Length..].Split(' ');
        return parts.Length == 3 && NodeAddresses.IsWellFormed(parts[2]) ? parts[2] : null;
    }

    private static async Task AskAsync(IPAddress local, MulticastAnswers found, CancellationToken cancellation)
    {
        try
        {
            using var socket = new UdpClient(new IPEndPoint(local, 0));
            socket.Client.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive, 1);
            await socket.SendAsync(Encoding.ASCII.GetBytes(Question), Group, cancellation);
            while (true)
            {
                var answer = await socket.ReceiveAsync(cancellation);
                if (ParseAnswer(answer.Buffer) is { } address)
                    found.Add(answer.RemoteEndPoint.Address, address);
            }
        }
        catch (Exception cause) when (cause is OperationCanceledException or SocketException)
        {
            // The time is over, or this interface cannot multicast; other interfaces and sources remain.
        }
    }

    private static List<IPAddress> LocalAddresses()
    {
        try
        {
            return
            [
                .. from card in NetworkInterface.GetAllNetworkInterfaces()
                   where card.OperationalStatus == OperationalStatus.Up
                   from unicast in card.GetIPProperties().UnicastAddresses
                   where unicast.Address.AddressFamily == AddressFamily.InterNetwork
                   select unicast.Address,
            ];
        }
        catch (NetworkInformationException)
        {
            return []; // The machine does not say; other sources remain.
        }
    }
}
