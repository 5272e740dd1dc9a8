namespace ChordChat.Wire;

/// <summary>A value in a command that a person is to paste.</summary>
public static class ShellWord
{
    /// <summary>The value as a shell reads it.</summary>
    public static string Of(string value) =>
        value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || IsPlain(c))
            ? value
            : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>Windows has backslashes in paths; a Unix shell takes them away.</summary>
    private static bool IsPlain(char c) => "/._-:".Contains(c) || (c == '\\' && OperatingSystem.IsWindows());
}
