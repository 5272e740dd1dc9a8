namespace ChordChat.Tests.Checkers;

/// <summary>What a client was told about an operation, and so what may be true of it.</summary>
public enum Outcome
{
    /// <summary>Nothing: it was never answered, or the answer says that nobody knows. It took effect once, at any time
    /// since it began, or never.</summary>
    Unknown,

    /// <summary>It took effect between its begin and its return.</summary>
    Ok,

    /// <summary>It was decided between its begin and its return that it has no effect; the answer says why.</summary>
    Refused,

    /// <summary>It had no effect and never will.</summary>
    Unavailable,
}
