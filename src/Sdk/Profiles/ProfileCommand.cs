namespace ChordChat.Sdk.Profiles;

/// <summary>What a person has to type about a profile.</summary>
public static class ProfileCommand
{
    /// <summary>The whole command, with the profile where it is not the one that would be used anyway.</summary>
    /// <param name="words">As in <c>login alice</c>.</param>
    public static string Of(Profile profile, string words) =>
        $"chordchat {words}{(IsDefault(profile) ? "" : $" --profile {Quoted(Path.GetFullPath(profile.Folder))}")}";

    private static bool IsDefault(Profile profile)
    {
        try
        {
            return profile.User is { } user
                && Path.GetFullPath(profile.Folder) == Path.GetFullPath(Profile.DefaultFolder(user));
        }
        catch (ChordChatException)
        {
            return false; // There is no home folder.
        }
    }

    /// <summary>A value as a shell reads it.</summary>
    internal static string Quoted(string path) => path.All(c => char.IsAsciiLetterOrDigit(c) || IsPlain(c))
        ? path
        : $"'{path.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>Windows has backslashes in paths; a Unix shell takes them away.</summary>
    private static bool IsPlain(char c) => "/._-:".Contains(c) || (c == '\\' && OperatingSystem.IsWindows());
}
