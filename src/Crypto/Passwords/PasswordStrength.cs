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
        : Estimate(password, user).Entropy;

    /// <summary>What a password is made of that guessers try first, each once, in its order.</summary>
    public static IReadOnlyList<PasswordPart> WeakPartsOf(string password, string user) =>
        [.. Estimate(password, user).MatchSequence.Select(PartOf).OfType<PasswordPart>().Distinct()];

    private static Zxcvbn.Result Estimate(string password, string user) => Zxcvbn.Zxcvbn.MatchPassword(
        password.Length > EstimatedMax ? password[..EstimatedMax] : password, [user, "chordchat"]);

    private static PasswordPart? PartOf(Zxcvbn.Match match) => match switch
    {
        Zxcvbn.Matcher.DictionaryMatch { DictionaryName: "user_inputs" } => PasswordPart.OwnName,
        Zxcvbn.Matcher.DictionaryMatch { DictionaryName: "passwords" } => PasswordPart.CommonPassword,
        Zxcvbn.Matcher.DictionaryMatch { DictionaryName: "male_names" or "female_names" or "surnames" } =>
            PasswordPart.Name,
        Zxcvbn.Matcher.DictionaryMatch => PasswordPart.Word,
        { Pattern: "repeat" } => PasswordPart.Repeat,
        { Pattern: "sequence" } => PasswordPart.Sequence,
        { Pattern: "spatial" } => PasswordPart.Keyboard,
        { Pattern: "date" or "year" } => PasswordPart.Date,
        { Pattern: "digits" } => PasswordPart.Digits,
        _ => null,
    };
}

/// <summary>What guessers try first.</summary>
public enum PasswordPart
{
    CommonPassword,

    /// <summary>The user's name, or this program's.</summary>
    OwnName,
    Name,
    Word,
    Repeat,

    /// <summary>abcd, 4321.</summary>
    Sequence,

    /// <summary>Neighbours on a keyboard.</summary>
    Keyboard,
    Date,
    Digits,
}
