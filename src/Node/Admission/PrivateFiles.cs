using ChordChat.Node.Hosting;

namespace ChordChat.Node.Admission;

/// <summary>Files and folders that only the user who runs the node may read: 0600 and 0700.</summary>
/// <remarks>On Windows they inherit the rights of the user's folder.</remarks>
internal static class PrivateFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes the folder and those above it that are missing.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } above && !Directory.Exists(above))
            CreateFolder(above);
        Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
    }

    /// <summary>Replaces the file as one step: a reader sees the old content or the new, also after a power
    /// cut.</summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            Share = FileShare.None,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;

        var temporary = $"{path}.{Environment.ProcessId}.new";
        try
        {
            using (var file = new FileStream(temporary, options))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary><see cref="Write"/> while a node starts.</summary>
    /// <exception cref="StartRefusedException">The disk is full, or broken.</exception>
    public static void WriteOrRefuse(string path, ReadOnlySpan<byte> content)
    {
        try
        {
            Write(path, content);
        }
        catch (IOException e)
        {
            throw new StartRefusedException(
                ExitCode.Storage,
                $"{path} cannot be written: {e.Message} Make room or mend the disk, then start again.");
        }
    }
}
