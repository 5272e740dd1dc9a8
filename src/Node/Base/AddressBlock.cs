using System.Net;
using System.Net.Sockets;

namespace ChordChat.Node.Base;

/// <summary>The addresses that one person can be taken to have: a /64 of IPv6, or a /48 where places are shared; of
/// IPv4 a /24, or one address where each may have so much.</summary>
internal static class AddressBlock
{
    /// <summary>"10.0.0.0/24" of all IPv4 addresses that differ in the last part only; of IPv6
    /// "2001:db8::/64".</summary>
    public static string Of(IPAddress? address) => Plain(address) switch
    {
        null => "unknown",
        { AddressFamily: AddressFamily.InterNetwork } four => $"{Cut(four, 3)}/24",
        var six => $"{Cut(six, 8)}/64",
    };

    /// <summary>"10.0.0.0/24", and of IPv6 "2001:db8:1::/48": a customer may have 65,536 of the smaller
    /// blocks.</summary>
    public static string OfSite(IPAddress? address) => Plain(address) switch
    {
        { AddressFamily: AddressFamily.InterNetworkV6 } six => $"{Cut(six, 6)}/48",
        var other => Of(other),
    };

    /// <summary>The site of a block that <see cref="Of"/> has named; anything else stands for itself.</summary>
    public static string SiteOf(string block) =>
        IPAddress.TryParse(block.AsSpan(0, Math.Max(0, block.IndexOf('/', StringComparison.Ordinal))), out var first)
            ? OfSite(first)
            : block;

    /// <summary>An IPv4 address itself, of IPv6 the first in its /64.</summary>
    public static IPAddress Holder(IPAddress address) => Plain(address) switch
    {
        { AddressFamily: AddressFamily.InterNetworkV6 } six => Cut(six, 8),
        var four => four!,
    };

    private static IPAddress? Plain(IPAddress? address) =>
        address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    private static IPAddress Cut(IPAddress address, int keptBytes)
    {
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(keptBytes).Clear();
        return new(bytes);
    }
}
