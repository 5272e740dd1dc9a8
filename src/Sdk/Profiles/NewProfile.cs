using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Sdk.Profiles;

/// <summary>A profile that somebody registers or logs in with, and that may have to be made for it. When that comes to
/// nothing, what was made is taken away again.</summary>
public sealed class NewProfile : IDisposable
{
    private readonly bool _isNew;

    private NewProfile(Profile profile, bool isNew) => (Profile, _isNew) = (profile, isNew);

    public Profile Profile { get; }

    /// <inheritdoc cref="Profile.Open"/>
    public static NewProfile Open(string folder)
    {
        var isNew = !Directory.Exists(folder);
        return new(Profile.Open(folder), isNew);
    }

    public void Dispose()
    {
        var isUnused = _isNew && IsUnused();
        Profile.Dispose();
        if (!isUnused)
            return;
        try
        {
            // The locks first: beside one, an empty database is taken for a damaged profile.
            foreach (var file in (string[])
                [.. Directory.GetFiles(Profile.Folder, "*.lock"), .. Directory.GetFiles(Profile.Folder, "profile.db*")])
                File.Delete(file);
            Directory.Delete(Profile.Folder); // Not what somebody else has put into it.
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            // It stays, and is nobody's profile.
        }
    }

    /// <summary>Whether nothing was written, by nobody: the journal can be changed only while no other program has the
    /// file open.</summary>
    private bool IsUnused()
    {
        try
        {
            return Profile.Store.Read(db => db.Scalar<long>("SELECT count(*) FROM facts") == 0
                && db.Scalar<string>("PRAGMA journal_mode = DELETE") == "delete");
        }
        catch (SqliteException)
        {
            return false; // Another program has it open.
        }
    }
}
