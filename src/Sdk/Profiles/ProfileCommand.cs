using ChordChat.Wire;

namespace ChordChat.Sdk.Profiles;

/// <summary>What a person has to type about a profile.</summary>
public static class ProfileCommand
{
    /// <summary>The whole command, with the profile where it is not the one that would be used anyway.</summary>
    /// <param name="words">As in <c>login alice</c>.</param>
    public static string Of(Profile profile, string words) =>
        $"chordchat {words}"
        + (IsDefault(profile) ? "" : $" --profile {ShellWord.Of(Path.GetFullPath(profile.Folder))}");

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
}
