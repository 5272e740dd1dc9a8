namespace ChordChat.Tests.Nemesis;

/// <summary>A small disk of a node's own, to be filled up. Only processes of this runner see it.</summary>
/// <remarks>A file system in memory: what the node writes there survives the node, and nothing else.</remarks>
internal sealed class Disk(string folder)
{
    private const string Size = "256m";
    private string Ballast => Path.Combine(folder, "ballast");

    /// <summary>Moves what is in the folder onto a disk of its own; null where that is not allowed.</summary>
    public static async Task<Disk?> PutUnderAsync(string folder)
    {
        var aside = $"{folder}.aside";
        Directory.Move(folder, aside);
        await Shell.RunAsync("mkdir", "-m", "700", folder);
        var mounted = await Shell.TryAsync("mount", "-t", "tmpfs", "-o", $"size={Size},mode=0700", "tmpfs", folder);
        await Shell.RunAsync("cp", "-a", $"{aside}/.", folder);
        Directory.Delete(aside, recursive: true);
        return mounted.Code == 0 ? new(folder) : null;
    }

    /// <summary>Leaves not one byte free.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        foreach (var step in new[] { 1 << 20, 1 << 12 })
            try
            {
                while (true)
                    file.Write(new byte[step]);
            }
            catch (IOException)
            {
                // Full, for pieces of this size.
            }
    }

    public void MakeRoom() => File.Delete(Ballast);
}
