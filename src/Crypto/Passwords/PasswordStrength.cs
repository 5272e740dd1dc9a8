namespace ChordChat.Crypto.Passwords;

/// <summary>An estimate of how hard a password is to guess. docs/e2e.md, Passwords.</summary>
/// <remarks>
/// Whoever holds a copy of the sealed keyring can guess without limit, so there is a floor. zxcvbn knows what guessers
/// try first: common passwords, words, names, dates, repeats, runs on a keyboard and the usual replacements.
/// </remarks>
public static class PasswordStrength
{
    /// <summary>The floor for new passwords outside demo clusters.</summary>
    public const double BitsMin = 40;

    /// <summary>More cannot make a password weaker, and the estimate's work grows with the square.</summary>
    private const int EstimatedMax = 64;

    /// <summary>An estimate in bits; 0 for nothing.</summary>
    public static double BitsOf(string password, string user) => password.Length == 0
        ? 0
        : Zxcvbn.Zxcvbn.MatchPassword(
            password.Length > EstimatedMax ? password[..EstimatedMax] : password, [user, "chordchat"]).Entropy;
}
