using ChordChat.Sdk.Storage;

namespace ChordChat.Sdk.Profiles;

/// <summary>Where a profile lies: for its owner only.</summary>
/// <remarks>docs/security.md, The folder of a profile.</remarks>
internal static class ProfileFolder
{
    public const string FileName = "profile.db";

    private static readonly string[] FileNames =
    [
        SessionLease.FileName, SessionLease.ShowingFileName,
        FileName, FileName + "-wal", FileName + "-shm", FileName + "-journal",
    ];

    private const int OpeningsMax = 5;
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnersFolder = Owner | UnixFileMode.UserExecute;

    /// <summary>Opens the file, anew if another program took the folder away meanwhile (<see cref="NewProfile"/>).
    /// </summary>
    /// <inheritdoc cref="Profile.Open" path="/exception"/>
    public static LocalStore OpenStore(string folder)
    {
        var file = Path.Combine(folder, FileName);
        for (var tries = 1; ; tries++)
            try
            {
                var store = LocalStore.Open(Prepare(folder));
                if (File.Exists(file) || tries == OpeningsMax)
                    return store;
                store.Dispose();
            }
            catch (ChordChatException cause) when (
                cause.Code == "profile_not_writable" && tries < OpeningsMax && !File.Exists(file))
            {
                // Once more.
            }
    }

    /// <summary>Makes the folder and its file if they are not there, and closes them to others. SQLite gives its other
    /// files the mode of the first.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="ChordChatException"><c>unsafe_profile</c>: somebody else could put another folder or file in
    /// its place. <c>profile_damaged</c>, <c>profile_not_writable</c>.</exception>
    private static string Prepare(string folder)
    {
        try
        {
            var file = Path.Combine(folder, FileName);
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(folder);
            else
                Protect(folder, file);
            return IsEmptied(folder, file)
                ? throw new ChordChatException(
                    "profile_damaged", $"{file} is empty, although there was a profile in it", DamageHint)
                : file;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new ChordChatException(
                "profile_not_writable", $"the profile folder {folder} cannot be used: {cause.Message}",
                "name another folder with --profile", cause);
        }
    }

    /// <summary>What to do about a profile that the disk damaged. It is left as it is.</summary>
    public const string DamageHint =
        "it was left as it is; restore the folder from a backup, or move the folder away and type 'chordchat login "
        + "NAME': that brings back the messages that nodes still keep";

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static void Protect(string folder, string file)
    {
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
        if (parent is not null)
        {
            Directory.CreateDirectory(parent);
            if (File.GetUnixFileMode(parent) is var mode && mode.HasFlag(UnixFileMode.OtherWrite)
                && !mode.HasFlag(UnixFileMode.StickyBit))
                throw Unsafe(
                    $"anybody on this machine could put another folder in place of {folder}: everybody may write in "
                    + parent, $"type 'chmod o-w {parent}', or name another folder with --profile");
        }

        Directory.CreateDirectory(folder, OwnersFolder);
        Close(folder, OwnersFolder);
        if (!File.Exists(file))
            new FileStream(file, ForOwner(FileShare.Read)).Dispose();
        foreach (var made in FilesIn(folder))
            try
            {
                Close(made, Owner);
            }
            catch (FileNotFoundException)
            {
                // Another program that had this profile open has just closed it, and SQLite took its files away.
            }
    }

    /// <summary>The files of a profile that are there, the locks first. The folder may have others, which are not
    /// ours.</summary>
    public static IReadOnlyList<string> FilesIn(string folder) =>
        [.. FileNames.Select(name => Path.Combine(folder, name)).Where(File.Exists)];

    /// <summary>How a file of a profile is opened, or made.</summary>
    public static FileStreamOptions ForOwner(FileShare share)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = share,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = Owner;
        return options;
    }

    /// <summary>Takes others' rights away, also those that an older program left.</summary>
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static void Close(string path, UnixFileMode toOwner)
    {
        if ((File.GetUnixFileMode(path) & ~toOwner) == 0)
            return; // If it were somebody else's, it could not be opened.
        try
        {
            File.SetUnixFileMode(path, toOwner);
        }
        catch (UnauthorizedAccessException cause)
        {
            throw Unsafe(
                $"{path} belongs to somebody else, who can change it", "name another folder with --profile", cause);
        }
    }

    /// <summary>Whether the file lost all that was in it. One that was never used has no trace of a session beside it.
    /// </summary>
    private static bool IsEmptied(string folder, string file) => new FileInfo(file) is { Exists: true, Length: 0 }
        && (File.Exists(Path.Combine(folder, SessionLease.FileName)) || File.Exists(file + "-wal"));

    private static ChordChatException Unsafe(string what, string hint, Exception? cause = null) =>
        new("unsafe_profile", what, hint, cause);
}
