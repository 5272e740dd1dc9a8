using System.Diagnostics;
using System.Globalization;

namespace ChordChat.Tests.Nemesis;

/// <summary>Makes one node's syncs to its disk take longer while it runs.</summary>
/// <param name="library">Of slowsync.c.</param>
/// <param name="file">Says how much longer.</param>
internal sealed class SlowDisk(string library, string file)
{
    /// <summary>Milliseconds that each sync takes longer; 0 for none.</summary>
    public void Set(int milliseconds)
    {
        File.WriteAllText($"{file}.next", milliseconds.ToString(CultureInfo.InvariantCulture));
        File.Move($"{file}.next", file, overwrite: true);
    }

    /// <summary>Gives a process this disk.</summary>
    public void Wear(ProcessStartInfo start)
    {
        Preload.Wear(start, library);
        start.Environment["NEMESIS_SLOW_SYNC"] = file;
    }
}
