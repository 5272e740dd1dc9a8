namespace ChordChat.Core.Chat;

/// <summary>What a user may be called: ASCII only, so that no two names look alike.</summary>
public static class UserName
{
    public const int LengthMax = 32;

    /// <summary>The rule in words, for whoever broke it.</summary>
    public const string Rule =
        "a name has 1 to 32 lower-case letters, digits, '.', '_' or '-' and begins with a letter or a digit";

    /// <summary>Whether it matches ^[a-z0-9][a-z0-9_.-]{0,31}$.</summary>
    public static bool IsValid(string? name) => IsValid(name.AsSpan());

    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name is not { Length: > 0 and <= LengthMax } || !char.IsAsciiLetterOrDigit(name[0]))
            return false;
        foreach (var c in name)
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '.' or '-'))
                return false;
        return true;
    }
}
