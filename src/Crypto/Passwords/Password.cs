using System.Text;

namespace ChordChat.Crypto.Passwords;

/// <summary>What a password may be, and its bytes. docs/e2e.md, Passwords.</summary>
public static class Password
{
    public const int CodePointsMin = 10;
    public const int CodePointsMax = 256;

    /// <summary>
    /// Whether a new password is acceptable. Logging in asks only what <see cref="TryNormalize"/> asks.
    /// </summary>
    /// <param name="demo">A demo cluster: any password of 1 to 256 code points will do.</param>
    public static PasswordProblem Check(string password, string user, bool demo)
    {
        if (!IsWellFormed(password))
            return PasswordProblem.IllFormed;
        var count = password.EnumerateRunes().Count();
        if (count > CodePointsMax)
            return PasswordProblem.TooLong;
        if (count < (demo ? 1 : CodePointsMin))
            return PasswordProblem.TooShort;
        return demo || PasswordStrength.BitsOf(password, user) >= PasswordStrength.BitsMin
            ? PasswordProblem.None
            : PasswordProblem.TooWeak;
    }

    /// <summary>UTF-8 of NFKC, so that one password typed on two systems is one password.</summary>
    /// <returns>Null for ill-formed text, control characters, nothing, or more than 256 code points.</returns>
    /// <exception cref="PlatformNotSupportedException">This process cannot normalise Unicode.</exception>
    internal static byte[]? TryNormalize(string password)
    {
        RequireNormalization();
        if (!IsWellFormed(password) || password.Length == 0 || password.EnumerateRunes().Count() > CodePointsMax)
            return null;
        return Encoding.UTF8.GetBytes(password.Normalize(NormalizationForm.FormKC));
    }

    /// <summary>Refuses to run where NFKC returns its input unchanged: users would be locked out elsewhere.</summary>
    /// <exception cref="PlatformNotSupportedException">InvariantGlobalization is on, or ICU is missing.</exception>
    public static void RequireNormalization()
    {
        if ("A\u030A\uFB01".Normalize(NormalizationForm.FormKC) != "\u00C5fi")
        {
            throw new PlatformNotSupportedException(
                "Unicode normalisation is off; turn InvariantGlobalization off or install ICU");
        }
    }

    private static bool IsWellFormed(string password)
    {
        for (var i = 0; i < password.Length;)
        {
            if (!Rune.TryGetRuneAt(password, i, out var rune) || Rune.IsControl(rune))
                return false;
            i += rune.Utf16SequenceLength;
        }

        return true;
    }
}
