using System.Diagnostics;
using System.Globalization;

namespace ChordChat.Tests.Nemesis;

/// <summary>Makes one node's syncs to its disk take longer while it runs.</summary>
/// <remarks>By a few lines of C in front of fsync and fdatasync, compiled when there is a compiler.</remarks>
internal sealed class SlowDisk(string library, string file)
{
    /// <summary>Compiles what slows a disk down.</summary>
    /// <returns>The library; null when there is no compiler.</returns>
    public static async Task<string?> CompileAsync(string home)
    {
        var (source, library) = (Path.Combine(home, "slowsync.c"), Path.Combine(home, "slowsync.so"));
        await using (var code = typeof(SlowDisk).Assembly.GetManifestResourceStream("slowsync.c")!)
        await using (var copy = File.Create(source))
            await code.CopyToAsync(copy);
        try
        {
            var made = await Shell.TryAsync("cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl");
            return made.Code == 0 ? library : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Milliseconds that each sync takes longer; 0 for none.</summary>
    public void Set(int milliseconds)
    {
        File.WriteAllText($"{file}.next", milliseconds.ToString(CultureInfo.InvariantCulture));
        File.Move($"{file}.next", file, overwrite: true);
    }

    /// <summary>Gives a process this disk.</summary>
    public void Wear(ProcessStartInfo start)
    {
        start.Environment.TryGetValue("LD_PRELOAD", out var other);
        start.Environment["LD_PRELOAD"] = string.IsNullOrEmpty(other) ? library : $"{other}:{library}";
        start.Environment["NEMESIS_SLOW_SYNC"] = file;
    }
}
