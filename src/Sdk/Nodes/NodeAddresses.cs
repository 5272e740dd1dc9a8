using System.Globalization;
using System.Net;
using ChordChat.Wire;

namespace ChordChat.Sdk.Nodes;

/// <summary>The form <c>host:port</c> (<c>[::1]:7401</c> for IPv6).</summary>
/// <remarks>docs/e2e.md, Known nodes. Nodes and strangers name them, and they are kept in lines and words, so what is
/// one here is one everywhere: on the screen, in the profile and as a URI.</remarks>
public static class NodeAddresses
{
    public static bool IsWellFormed(string? address)
    {
        if (address is null || !AddressText.IsPlain(address))
            return false;
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(
            address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return false;
        var host = address[..colon];
        return (host is ['[', .., ']'] ? Uri.CheckHostName(host[1..^1]) == UriHostNameType.IPv6 : IsNameOrIPv4(host))
            && Uri.TryCreate($"https://{address}/", UriKind.Absolute, out var uri)
            && uri.Port == port && uri.UserInfo.Length == 0 && uri.PathAndQuery == "/" && uri.Fragment.Length == 0
            && IsHostOf(uri, host);
    }

    /// <exception cref="ChordChatException">It is not an address.</exception>
    public static string Check(string address) => IsWellFormed(address) ? address : throw Bad(address, null);

    internal static ChordChatException Bad(string address, Exception? cause) => new(
        "bad_address", $"'{address}' is not the address of a node", "write HOST:PORT, for example localhost:7401",
        cause);

    private static bool IsNameOrIPv4(string host) =>
        Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;

    /// <summary>Whether the URI means this host: numbers such as 127.1 are read as another one.</summary>
    private static bool IsHostOf(Uri uri, string host) => host[0] != '['
        ? uri.Host.Equals(host, StringComparison.OrdinalIgnoreCase)
        : IPAddress.TryParse(uri.Host, out var read) && IPAddress.TryParse(host[1..^1].Split('%')[0], out var meant)
            && read.Equals(meant);
}
