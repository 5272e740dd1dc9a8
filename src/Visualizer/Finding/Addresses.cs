using System.Globalization;

namespace ChordChat.Visualizer.Finding;

/// <summary>host:port, as people and nodes write it.</summary>
internal static class Addresses
{
    private const int LengthMax = 260;

    /// <summary>Whether this is a host and a port; IPv6 addresses stand in brackets.</summary>
    public static bool IsAddress(string text)
    {
        var colon = text.LastIndexOf(':');
        return text.Length <= LengthMax
            && colon > 0
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
