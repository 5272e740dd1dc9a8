using System.Text.Unicode;

namespace ChordChat.Client.Scripting;

/// <summary>What .NET makes of bytes that are not UTF-8 before a program sees them: all the same letter.</summary>
internal static class Replaced
{
    public const char Letter = '\uFFFD';

    private const string CommandLineFile = "/proc/self/cmdline";

    /// <summary>The first argument that was not UTF-8; null when there is none. Where the system does not show the
    /// bytes the letter is taken for one that was meant.</summary>
    public static string? ArgumentIn(string[] args)
    {
        if (Array.Find(args, arg => arg.Contains(Letter)) is not { } suspect || !File.Exists(CommandLineFile))
            return null;
        return IsUtf8(File.ReadAllBytes(CommandLineFile)) ? null : suspect;
    }

    internal static bool IsUtf8(ReadOnlySpan<byte> bytes) => Utf8.IsValid(bytes);
}
