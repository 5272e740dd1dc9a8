using ChordChat.Crypto.Passwords;

namespace ChordChat.Sdk.Accounts;

/// <summary>Why a new password is not taken: what is wrong with it, and what would be right.</summary>
internal static class PasswordFailures
{
    private const string Advice = "five random words make a good one";

    public static ChordChatException? Of(string password, string user, bool demo) =>
        Password.Check(password, user, demo) switch
        {
            PasswordProblem.None => null,
            PasswordProblem.IllFormed => new(
                "bad_password", "the password has a character that cannot be typed everywhere", "type it again"),
            PasswordProblem.TooShort when password.Length == 0 => new(
                "weak_password", "no password was typed", Advice),
            PasswordProblem.TooShort => new(
                "weak_password",
                $"the password is too short: it needs at least {Password.CodePointsMin} characters, and has "
                + $"{password.EnumerateRunes().Count()}", Advice),
            PasswordProblem.TooLong => new(
                "bad_password", $"the password is longer than {Password.CodePointsMax} characters", "shorten it"),
            _ => new("weak_password", TooEasy(password, user), Advice),
        };

    private static string TooEasy(string password, string user)
    {
        var parts = PasswordStrength.WeakPartsOf(password, user).Select(InWords).ToArray();
        return parts.Length == 0
            ? "the password is too easy to guess: it has no common pattern, but it is too short"
            : $"the password is too easy to guess: attackers try {string.Join(" and ", parts)} first";
    }

    private static string InWords(PasswordPart part) => part switch
    {
        PasswordPart.CommonPassword => "common passwords",
        PasswordPart.OwnName => "the user's own name",
        PasswordPart.Name => "people's names",
        PasswordPart.Word => "single words and a few words together",
        PasswordPart.Repeat => "repeated characters",
        PasswordPart.Sequence => "sequences such as abc or 321",
        PasswordPart.Keyboard => "neighbouring keys",
        PasswordPart.Date => "dates and years",
        _ => "short numbers",
    };
}
