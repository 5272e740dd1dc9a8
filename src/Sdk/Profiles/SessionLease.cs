namespace ChordChat.Sdk.Profiles;

/// <summary>At most one process of a machine holds a profile's session; the others work through the local
/// store.</summary>
/// <remarks>A lock on a file: the operating system lets go of it however the process ends.</remarks>
/// <param name="name">The file of another thing that one process at a time does with a profile.</param>
internal sealed class SessionLease(string folder, string name = SessionLease.FileName) : IDisposable
{
    public const string FileName = "session.lock";

    /// <summary>For showing messages.</summary>
    public const string ShowingFileName = "showing.lock";

    private FileStream? _file;

    public bool IsHeld => _file is not null;

    /// <summary>Errors that say nothing of another process: too many open files, a full disk, a read-only one.
    /// </summary>
    private static readonly int[] OwnTroubles = [24, 28, 30];

    /// <exception cref="ChordChatException"><c>profile_not_writable</c>.</exception>
    public bool TryTake()
    {
        if (_file is not null)
            return true;
        try
        {
            _file = new FileStream(Path.Combine(folder, name), ProfileFolder.ForOwner(FileShare.None));
            return true;
        }
        catch (Exception cause) when (cause is UnauthorizedAccessException
            || (cause is IOException && !OperatingSystem.IsWindows() && OwnTroubles.Contains(cause.HResult)))
        {
            throw new ChordChatException(
                "profile_not_writable", $"{Path.Combine(folder, name)} cannot be opened: {cause.Message}",
                "free disk space or check the folder's permissions", cause);
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }
}
