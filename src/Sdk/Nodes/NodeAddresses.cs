using System.Globalization;

namespace ChordChat.Sdk.Nodes;

/// <summary>The form <c>host:port</c> (<c>[::1]:7401</c> for IPv6).</summary>
public static class NodeAddresses
{
    public static bool IsWellFormed(string address)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || address[^1] == '\0' || !int.TryParse(
            address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            return false;
        var host = address[..colon];
        var kind = host is ['[', .., ']'] ? Uri.CheckHostName(host[1..^1]) : Uri.CheckHostName(host);
        return port is > 0 and < 65536
            && (host[0] == '[' ? kind == UriHostNameType.IPv6 : kind is UriHostNameType.Dns or UriHostNameType.IPv4);
    }

    /// <exception cref="ChordChatException">It is not an address.</exception>
    public static string Check(string address) => IsWellFormed(address)
        ? address
        : throw new ChordChatException(
            "bad_address", $"'{address}' is not the address of a node", "write HOST:PORT, for example localhost:7401");
}
