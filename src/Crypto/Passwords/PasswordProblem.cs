namespace ChordChat.Crypto.Passwords;

/// <summary>Why a new password is not acceptable.</summary>
public enum PasswordProblem
{
    None,

    /// <summary>Ill-formed Unicode, or a control character.</summary>
    IllFormed,

    /// <summary>Fewer than 10 code points.</summary>
    TooShort,

    /// <summary>More than 256 code points.</summary>
    TooLong,

    /// <summary>Estimated at fewer than 40 bits.</summary>
    TooWeak,
}
