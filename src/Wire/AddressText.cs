namespace ChordChat.Wire;

/// <summary>What every address that others name has in common, before anybody takes it apart.</summary>
/// <remarks>Such an address is shown, kept in lines and words, and made into a URI; .NET takes anything for the scope
/// of an IPv6 address.</remarks>
public static class AddressText
{
    /// <summary>A name of 253 characters, a port and what stands between.</summary>
    public const int LengthMax = 260;

    /// <summary>Short, without blanks and signs that change how a line is shown; a scope such as <c>%eth0</c> has
    /// letters, digits, and <c>_ . -</c>.</summary>
    public static bool IsPlain(string address)
    {
        if (address.Length > LengthMax || !address.All(IsPlain))
            return false;
        var scope = address.IndexOf('%', StringComparison.Ordinal);
        if (scope < 0)
            return true;
        var end = address.IndexOf(']', scope);
        return end > scope + 1 && address[(scope + 1)..end].All(
            c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
    }

    private static bool IsPlain(char c) => c < 128 ? c is > ' ' and < (char)127 : char.IsLetterOrDigit(c);
}
