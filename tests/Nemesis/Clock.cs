using System.Diagnostics;
using System.Globalization;

namespace ChordChat.Tests.Nemesis;

/// <summary>The time of day as one node sees it, to be set wrong while it runs. Timers go on as they should.</summary>
/// <remarks>By libfaketime, which reads the offset from a file. It makes a node several times slower: every look at any
/// clock goes through it. Time namespaces would not, but shift the monotonic clocks only.</remarks>
internal sealed class Clock(string file)
{
    private static readonly string? Library = Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu*")
            .Select(place => Path.Combine(place, "faketime", "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        : null;

    public static bool CanStep => Library is not null;

    /// <summary>How far it is off.</summary>
    public TimeSpan Offset { get; private set; }

    public void Set(TimeSpan offset)
    {
        Offset = offset;
        var next = $"{file}.next";
        File.WriteAllText(next, offset.TotalSeconds.ToString("+0;-0;+0", CultureInfo.InvariantCulture) + "\n");
        File.Move(next, file, overwrite: true); // The node never reads half of it.
    }

    /// <summary>Makes a process go by this clock.</summary>
    public void Wear(ProcessStartInfo start)
    {
        start.Environment["LD_PRELOAD"] = Library;
        start.Environment["FAKETIME_TIMESTAMP_FILE"] = file;
        start.Environment["FAKETIME_CACHE_DURATION"] = "1";
        start.Environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        start.Environment["FAKETIME_NO_FAKE_STAT"] = "1";
        start.Environment["NO_FAKE_STAT"] = "1";
    }
}
