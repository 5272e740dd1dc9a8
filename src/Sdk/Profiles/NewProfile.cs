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
        try
        {
            var isTaken = _isNew && Profile.Store.Read(TryTake);
            Profile.Dispose();
            if (isTaken)
                Directory.Delete(Profile.Folder); // Not what somebody else has put into it.
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException or SqliteException)
        {
            Profile.Dispose(); // Another program has it open, or it is nobody's profile.
        }
    }

    /// <summary>Deletes the files if nobody has written anything and no other program has them open.</summary>
    /// <remarks>SQLite changes the journal mode only while no other program has the file open. A program that opens it
    /// later waits for the end of this transaction, finds the file gone, and makes another
    /// (<see cref="Profile.Open"/>).</remarks>
    private bool TryTake(SqliteConnection db)
    {
        if (db.Scalar<string>("PRAGMA journal_mode = DELETE") != "delete")
            return false;
        db.Execute("BEGIN EXCLUSIVE");
        if (db.Scalar<string>("PRAGMA journal_mode") != "delete" || db.Scalar<long>("SELECT count(*) FROM facts") > 0)
            return false;
        // The locks first: beside one, an empty database is taken for a damaged profile.
        foreach (var file in ProfileFolder.FilesIn(Profile.Folder))
            File.Delete(file);
        return true;
    }
}
