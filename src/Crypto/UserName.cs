namespace ChordChat.Crypto;

/// <summary>What a user name looks like: <c>^[a-z0-9][a-z0-9_.-]{0,31}$</c>.</summary>
/// <remarks>ASCII only: two names that look alike are two names, and nothing needs normalising.</remarks>
public static class UserName
{
    public const int LengthMax = 32;

    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > LengthMax || !char.IsAsciiLetterLower(name[0]) && !char.IsAsciiDigit(name[0]))
            return false;
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '.' or '-'))
                return false;
        }

        return true;
    }

    /// <exception cref="ArgumentException">The name is not valid.</exception>
    internal static string Require(string name) =>
        IsValid(name) ? name : throw new ArgumentException("not a user name", nameof(name));
}
