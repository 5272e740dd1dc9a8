using System.Globalization;
using System.Net;

namespace ChordChat.Sdk.Nodes;

/// <summary>The form <c>host:port</c> (<c>[::1]:7401</c> for IPv6).</summary>
/// <remarks>docs/e2e.md, Known nodes. Nodes and strangers name them, and they are kept in lines and words, so what is
/// one here is one everywhere: on the screen, in the profile and as a URI.</remarks>
public static class NodeAddresses
{
    /// <summary>A name of 253 characters, a port and what stands between.</summary>
    public const int LengthMax = 260;

    public static bool IsWellFormed(string? address)
    {
        if (address is not { Length: <= LengthMax } || !address.All(IsPlain))
            return false;
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(
            address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
            return false;
        var host = address[..colon];
        return (host is ['[', .., ']'] ? IsIPv6(host[1..^1]) : IsNameOrIPv4(host))
            && Uri.TryCreate($"https://{address}/", UriKind.Absolute, out var uri)
            && uri.Port == port && uri.UserInfo.Length == 0 && uri.PathAndQuery == "/" && uri.Fragment.Length == 0
            && IsHostOf(uri, host);
    }

    /// <exception cref="ChordChatException">It is not an address.</exception>
    public static string Check(string address) => IsWellFormed(address) ? address : throw Bad(address, null);

    internal static ChordChatException Bad(string address, Exception? cause) => new(
        "bad_address", $"'{address}' is not the address of a node", "write HOST:PORT, for example localhost:7401",
        cause);

    /// <summary>No blank, no control, nothing that changes how a line is shown.</summary>
    private static bool IsPlain(char c) => c < 128 ? c is > ' ' and < (char)127 : char.IsLetterOrDigit(c);

    private static bool IsNameOrIPv4(string host) =>
        Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;

    /// <param name="host">Perhaps with the interface of a link-local address: <c>fe80::1%eth0</c>.</param>
    private static bool IsIPv6(string host) =>
        host.IndexOf('%', StringComparison.Ordinal) is var at && (at < 0 || IsScope(host.AsSpan(at + 1)))
        && Uri.CheckHostName(host) == UriHostNameType.IPv6;

    private static bool IsScope(ReadOnlySpan<char> scope)
    {
        foreach (var c in scope)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-'))
                return false;
        return scope.Length > 0;
    }

    /// <summary>Whether the URI means this host: numbers such as 127.1 are read as another one.</summary>
    private static bool IsHostOf(Uri uri, string host) => host[0] != '['
        ? uri.Host.Equals(host, StringComparison.OrdinalIgnoreCase)
        : IPAddress.TryParse(uri.Host, out var read) && IPAddress.TryParse(host[1..^1].Split('%')[0], out var meant)
            && read.Equals(meant);
}
