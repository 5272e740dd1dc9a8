using System.Diagnostics;
using System.Globalization;

namespace ChordChat.Tests.Nemesis;

/// <summary>What a node has written to its disk and not synced. When its machine loses its power, that is lost: all of
/// it, or any part.</summary>
/// <remarks>A killed process loses nothing that it has written, since the kernel still has it. So unsynced.c notes each
/// write until the next sync of its file, and this takes noted writes back.</remarks>
/// <param name="library">Of unsynced.c.</param>
/// <param name="notes">A folder beside the node's, with one file for each file that has unsynced writes.</param>
internal sealed class Unsynced(string library, string notes)
{
    private const int HeadBytes = 32;

    /// <summary>Gives a process a disk that is watched.</summary>
    public void Wear(ProcessStartInfo start, string folder)
    {
        Directory.CreateDirectory(notes);
        Preload.Wear(start, library);
        start.Environment["NEMESIS_DISK"] = folder;
        start.Environment["NEMESIS_UNSYNCED"] = notes;
    }

    /// <summary>Takes unsynced writes back while the node does not run.</summary>
    /// <param name="kept">Of each write whether it had reached the disk all the same.</param>
    /// <returns>How many writes were lost.</returns>
    public int Lose(string folder, Func<bool> kept)
    {
        var lost = 0;
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var file = Path.Combine(notes, NameOf(path));
            if (!File.Exists(file))
                continue;
            lost += Lose(path, [.. Read(file)], kept);
        }

        Forget();
        return lost;
    }

    /// <summary>What was written stays: the machine went on.</summary>
    public void Forget()
    {
        if (Directory.Exists(notes))
            Directory.Delete(notes, recursive: true);
        Directory.CreateDirectory(notes);
    }

    private static int Lose(string path, List<Write> writes, Func<bool> kept)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        foreach (var write in Enumerable.Reverse(writes))
        {
            Put(file, write.At, write.Old);
            file.SetLength(write.OldSize);
        }

        var lost = 0;
        foreach (var write in writes)
            if (!kept())
                lost++;
            else if (write.New.Length > 0)
                Put(file, write.At, write.New);
            else
                file.SetLength(write.At);
        return lost;
    }

    private static void Put(FileStream file, long at, byte[] bytes)
    {
        if (bytes.Length == 0)
            return;
        file.Position = at;
        file.Write(bytes);
    }

    /// <summary>As unsynced.c names it: by inode and birth, for files are renamed and numbers used again.</summary>
    private static string NameOf(string path)
    {
        // "%i %W" of stat has whole seconds only; "%w" has them all: 2026-11-28 20:12:25.123456789 +0000.
        var said = Shell.RunAsync("stat", "-c", "%i|%W|%w", path).GetAwaiter().GetResult().Trim().Split('|');
        var dot = said[2].IndexOf('.', StringComparison.Ordinal);
        var nanoseconds = dot < 0 ? 0 : int.Parse(said[2].AsSpan(dot + 1, 9), CultureInfo.InvariantCulture);
        return $"{said[0]}-{said[1]}-{nanoseconds}";
    }

    /// <summary>The last one may be cut short, when the process was killed before it wrote what it had noted.</summary>
    private static IEnumerable<Write> Read(string notes)
    {
        var bytes = File.ReadAllBytes(notes);
        for (var at = 0; at + HeadBytes <= bytes.Length;)
        {
            long Field(int number) => BitConverter.ToInt64(bytes, at + (number * 8));
            var (oldLength, newLength) = ((int)Field(2), (int)Field(3));
            if (at + HeadBytes + oldLength + newLength > bytes.Length)
                yield break;
            var (old, next) = (at + HeadBytes, at + HeadBytes + oldLength);
            yield return new(Field(0), Field(1), bytes[old..next], bytes[next..(next + newLength)]);
            at = next + newLength;
        }
    }

    /// <param name="New">Empty: the file was cut at <paramref name="At"/>.</param>
    private sealed record Write(long At, long OldSize, byte[] Old, byte[] New);
}
