namespace ChordChat.Crypto.Passwords;

/// <summary>A rough, honest guess of how hard a password is to guess. docs/e2e.md, Passwords.</summary>
/// <remarks>
/// Whoever holds a copy of the sealed keyring can guess without limit, so there is a floor. This is an upper bound by
/// shape, not a dictionary: it catches what every list starts with, repeats and runs, and the user's name.
/// </remarks>
public static class PasswordStrength
{
    /// <summary>The floor for new passwords outside demo clusters.</summary>
    public const double BitsMin = 40;

    private const double BitsOfKnownWord = 8;
    private const double BitsOfRunStep = 1;

    private static readonly string[] KnownWords =
    [
        "password", "passwort", "passw0rd", "letmein", "welcome", "willkommen", "iloveyou", "sunshine", "princess",
        "football", "baseball", "superman", "batman", "dragon", "monkey", "master", "shadow", "michael", "charlie",
        "jordan", "freedom", "whatever", "trustno1", "starwars", "computer", "internet", "secret", "hallo", "hello",
        "admin", "administrator", "login", "access", "changeme", "default", "guest", "qwertyuiop", "qwertzuiop",
        "qwerty", "qwertz", "azerty", "asdfghjkl", "asdfgh", "yxcvbnm", "zxcvbnm", "1q2w3e4r5t", "1q2w3e4r", "1qaz2wsx",
        "zaq12wsx", "qazwsx", "chordchat", "chord", "chat", "summer", "winter", "spring", "autumn", "sommer",
    ];

    /// <summary>An estimate in bits; 0 for nothing.</summary>
    public static double BitsOf(string password, string user)
    {
        var rest = password.ToLowerInvariant();
        var bits = 0.0;
        foreach (var word in KnownWords.Append(user).Where(w => w.Length >= 3))
        {
            while (rest.IndexOf(word, StringComparison.Ordinal) is var at and >= 0)
            {
                // A gap keeps the parts around the word from forming a run or another word.
                rest = rest[..at] + '\0' + rest[(at + word.Length)..];
                bits += BitsOfKnownWord;
            }
        }

        var perCharacter = Math.Log2(Alphabet(password));
        for (var i = 0; i < rest.Length; i++)
        {
            if (rest[i] != '\0')
                bits += i > 0 && IsStep(rest[i - 1], rest[i]) ? BitsOfRunStep : perCharacter;
        }

        return bits;
    }

    private static bool IsStep(char before, char now) => Math.Abs(now - before) <= 1;

    private static int Alphabet(string password)
    {
        var size = 1;
        if (password.Any(char.IsAsciiLetterLower))
            size += 26;
        if (password.Any(char.IsAsciiLetterUpper))
            size += 26;
        if (password.Any(char.IsAsciiDigit))
            size += 10;
        if (password.Any(c => c < 0x80 && !char.IsAsciiLetterOrDigit(c)))
            size += 20;
        if (password.Any(c => c >= 0x80))
            size += 60;
        return size;
    }
}
