namespace ChordChat.Sdk;

/// <summary>Something a person can act on: what happened in one line, and what to do about it.</summary>
/// <param name="code">Machine-readable and stable: <c>wrong_password</c>, <c>unknown_user</c>, ...</param>
/// <param name="message">One line, no full stop.</param>
/// <param name="hint">What to do next.</param>
public sealed class ChordChatException(string code, string message, string hint, Exception? cause = null)
    : Exception(message, cause)
{
    public string Code { get; } = code;

    public string Hint { get; } = hint;
}
