using System.Globalization;
using ChordChat.Wire;

namespace ChordChat.Visualizer.Finding;

/// <summary>host:port, as people and nodes write it.</summary>
internal static class Addresses
{
    /// <summary>Whether this is a host and a port; IPv6 addresses stand in brackets.</summary>
    public static bool IsAddress(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0
            && AddressText.IsPlain(text)
            && ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port > 0
            && Uri.TryCreate($"https://{text}/", UriKind.Absolute, out var uri)
            && uri.PathAndQuery == "/"
            && uri.UserInfo.Length == 0;
    }

    /// <summary>The addresses in a list parted by commas or blanks; what is none is left out.</summary>
    public static IEnumerable<string> In(string? list) =>
        (list ?? "").Split([',', ' ', ';'], StringSplitOptions.RemoveEmptyEntries).Where(IsAddress);
}
