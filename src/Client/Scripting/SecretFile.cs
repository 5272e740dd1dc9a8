using ChordChat.Sdk;

namespace ChordChat.Client.Scripting;

/// <summary>A secret on the first line of a file, so that it stands on no command line.</summary>
internal static class SecretFile
{
    /// <param name="what">What the file is called in errors: password file.</param>
    /// <param name="code">Of the error.</param>
    /// <param name="option">That named the file.</param>
    /// <exception cref="ChordChatException">The file cannot be read, or its first line is not UTF-8.</exception>
    public static string Read(string path, string what, string code, string option)
    {
        try
        {
            return InputLines.First(path) ?? throw new ChordChatException(
                code, $"the first line of the {what} {path} is not UTF-8",
                "save it as UTF-8, so that it is the same wherever it is typed");
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new ChordChatException(
                code, $"the {what} {path} cannot be read: {cause.Message}", $"check {option}", cause);
        }
    }
}
