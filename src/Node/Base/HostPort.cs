using System.Globalization;
using System.Net;
using System.Text;

namespace ChordChat.Node.Base;

/// <summary>host:port as people write it: 10.0.0.5:7401, [fd00::2]:7401, node3.lan:7401.</summary>
/// <remarks>docs/protocol.md#bad-input: what is one can be called.</remarks>
internal readonly record struct HostPort(string Host, int Port)
{
    /// <summary>The address itself when the host is one and not a name.</summary>
    public IPAddress? Address => IPAddress.TryParse(Host, out var address) ? address : null;

    private const int HostMax = 253;
    private const int LengthMax = HostMax + 7; // With a port, and what stands between or around.

    public static bool TryParse(string text, out HostPort result)
    {
        result = default;
        var colon = text.LastIndexOf(':');
        if (colon < 1 || text.Length > LengthMax || !Ascii.IsValid(text)
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || text[^1] == '\0' // Parsing of numbers overlooks it at the end.
            || port > IPEndPoint.MaxPort)
            return false;
        var host = text[..colon];
        if (host is ['[', .., ']'])
        {
            host = host[1..^1];
            if (Uri.CheckHostName(host) != UriHostNameType.IPv6 || !IsScopePlain(host))
                return false;
        }
        else if (host.Contains(':', StringComparison.Ordinal))
            return false; // An IPv6 address without brackets: nobody can tell where the port begins.
        // What it takes for a name may still be none in a URI.
        if (host.Length > HostMax || Uri.CheckHostName(host) == UriHostNameType.Unknown
            || !Uri.TryCreate($"https://{text}", UriKind.Absolute, out _))
            return false;
        result = new(host, port);
        return true;
    }

    /// <summary>.NET takes anything for the scope of an IPv6 address, and makes no URI of it later.</summary>
    private static bool IsScopePlain(string host) => host.IndexOf('%', StringComparison.Ordinal) is var at
        && (at < 0 || (at < host.Length - 1
            && host[(at + 1)..].All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-')));

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
