using System.ComponentModel;
using System.Diagnostics;

namespace ChordChat.Tests.Nemesis;

/// <summary>A few lines of C in front of what a process asks of its disk, compiled when there is a compiler.</summary>
internal static class Preload
{
    /// <summary>Compiles one of the sources that this program carries.</summary>
    /// <returns>The library; null when there is no compiler.</returns>
    public static async Task<string?> CompileAsync(string home, string name)
    {
        var (source, library) = (Path.Combine(home, $"{name}.c"), Path.Combine(home, $"{name}.so"));
        await using (var code = typeof(Preload).Assembly.GetManifestResourceStream($"{name}.c")!)
        await using (var copy = File.Create(source))
            await code.CopyToAsync(copy);
        try
        {
            var made = await Shell.TryAsync("cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl");
            return made.Code == 0 ? library : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Puts a library in front of a process's own, beside those that are there already.</summary>
    public static void Wear(ProcessStartInfo start, string library)
    {
        start.Environment.TryGetValue("LD_PRELOAD", out var other);
        start.Environment["LD_PRELOAD"] = string.IsNullOrEmpty(other) ? library : $"{other}:{library}";
    }
}
