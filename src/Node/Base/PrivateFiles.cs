using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace ChordChat.Node.Base;

/// <summary>Files and folders that only the user who runs the node may read: 0600 and 0700.</summary>
/// <remarks>On Windows they inherit the rights of the user's folder.</remarks>
internal static class PrivateFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>What others than the owner may do.</summary>
    public const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    // What the system calls it when another process has a file: on Windows, on Linux, on macOS.
    private static readonly int[] HeldErrors = [unchecked((int)0x80070020), unchecked((int)0x80070021), 11, 35];

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
        var temporary = $"{path}.{Environment.ProcessId}.new";
        try
        {
            using (var file = new FileStream(temporary, Options(FileMode.Create, FileAccess.Write)))
            {
                file.Write(content);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
            SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(
                ExitCode.Storage,
                $"{path} cannot be written: {e.Message} Make room or mend the disk, then start again.");
        }
    }

    /// <summary>Takes a file that one process may have at a time; makes it when it is missing.</summary>
    /// <returns>To be disposed of; null while another process has it.</returns>
    /// <exception cref="StartRefusedException">It cannot be opened at all.</exception>
    public static FileStream? TryLock(string path)
    {
        TakeFromOthers(path);
        try
        {
            return new(path, Options(FileMode.OpenOrCreate, FileAccess.ReadWrite));
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(
                ExitCode.Storage,
                $"{path} cannot be opened for writing: {e.Message} Be the user who owns it, make room if the disk is "
                + "full, or mend it if it can only be read; then try again.");
        }
    }

    /// <summary>Whether a file could not be opened because another process has it.</summary>
    public static bool IsHeld(IOException e) => HeldErrors.Contains(e.HResult);

    /// <summary>Makes an empty file when it is missing. One that cannot be made is left to whoever opens it.</summary>
    public static void Make(string path)
    {
        try
        {
            if (!File.Exists(path))
                new FileStream(path, Options(FileMode.OpenOrCreate, FileAccess.ReadWrite)).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its reader says more.
        }
    }

    /// <summary>Mends a file that an older program made for all to read. Of another user's, the doctor
    /// speaks.</summary>
    public static void TakeFromOthers(string path)
    {
        try
        {
            if (!OperatingSystem.IsWindows() && File.Exists(path) && (File.GetUnixFileMode(path) & Others) != 0)
                File.SetUnixFileMode(path, OwnerOnly);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It works as it is.
        }
    }

    private static FileStreamOptions Options(FileMode mode, FileAccess access)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    /// <summary>Makes a new name in a folder durable; a file's own flush does not do that.</summary>
    private static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return; // It has no such call.
        var descriptor = Open(Encoding.UTF8.GetBytes(folder + "\0"), flags: 0);
        if (descriptor < 0)
            return; // A folder that may be written but not read: the file is there, only less surely.
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.FlushToDisk(handle);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Open(byte[] path, int flags);
}
