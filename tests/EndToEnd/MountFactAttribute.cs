using System.Diagnostics;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>A test that mounts a small file system, and is skipped where that is not allowed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MountFactAttribute : FactAttribute
{
    private static readonly string? Obstacle = FindObstacle();

    public MountFactAttribute() => Skip = Obstacle;

    internal static Task MountAsync(string folder, int bytes) =>
        RunAsync("mount", "-t", "tmpfs", "-o", $"size={bytes},mode=700", "tmpfs", folder);

    internal static Task UnmountAsync(string folder) => RunAsync("umount", folder);

    private static async Task RunAsync(params string[] command)
    {
        var ended = await LocalCluster.RunAsync(command[0], command[1..], new Dictionary<string, string>());
        if (ended.ExitCode != 0)
            throw new IOException($"{string.Join(' ', command)}: {ended.Error}");
    }

    private static string? FindObstacle()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return "only root may mount the small disk that this needs";
        var folder = Directory.CreateTempSubdirectory("chordchat-mount-").FullName;
        using var mount = Process.Start(
            new ProcessStartInfo("mount", ["-t", "tmpfs", "tmpfs", folder]) { RedirectStandardError = true })!;
        mount.WaitForExit();
        if (mount.ExitCode == 0)
            using (var unmount = Process.Start("umount", [folder]))
                unmount.WaitForExit();
        Directory.Delete(folder);
        return mount.ExitCode == 0 ? null : "mounting is not allowed here, not even to root";
    }
}
