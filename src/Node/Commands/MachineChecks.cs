using System.Diagnostics;
using System.Globalization;
using ChordChat.Node.Storage;

namespace ChordChat.Node.Commands;

/// <summary>What the doctor asks of the machine: room and speed of the disk, number of open files.</summary>
internal static class MachineChecks
{
    private const long FreeBytesLow = 1L << 30;
    private const int FilesLow = 4_096;
    private const int Syncs = 15;
    private static readonly TimeSpan SyncSlow = TimeSpan.FromMilliseconds(20);

    public static IEnumerable<Finding> All(string data, StorageOptions storage)
    {
        yield return Room(data, storage);
        yield return Sync(data);
        if (OperatingSystem.IsLinux())
            yield return Files();
    }

    private static Finding Room(string data, StorageOptions storage)
    {
        var space = VolumeSpace.Of(data);
        var free = space.FreeBytes;
        var text = string.Create(CultureInfo.InvariantCulture, $"{free / (double)(1L << 30):0.0} GiB free");
        if (DiskRoom.ShortageIn(space, storage) is { } shortage)
            return new(Verdict.Fail, "disk", shortage, "make room: a node keeps no new messages meanwhile");
        return free switch
        {
            < FreeBytesLow => new(Verdict.Warn, "disk", text, "make room soon"),
            _ => new(Verdict.Ok, "disk", text),
        };
    }

    private static Finding Sync(string data)
    {
        var path = Path.Combine(data, $"doctor.{Environment.ProcessId}");
        try
        {
            var took = new List<TimeSpan>();
            using (var file = new FileStream(path, FileMode.Create, FileAccess.Write))
            {
                for (var i = 0; i < Syncs; i++)
                {
                    var start = Stopwatch.GetTimestamp();
                    file.Write(new byte[4096]);
                    file.Flush(flushToDisk: true);
                    took.Add(Stopwatch.GetElapsedTime(start));
                }
            }

            var median = took.Order().ElementAt(Syncs / 2);
            var (typical, worst) = (median.TotalMilliseconds, took.Max().TotalMilliseconds);
            var text = string.Create(
                CultureInfo.InvariantCulture,
                $"{typical:0.00} ms until on disk (median of {Syncs}, worst {worst:0.0})");
            return median > SyncSlow
                ? new(Verdict.Warn, "fsync", text, "every kept message waits for this: use a faster disk")
                : new(Verdict.Ok, "fsync", text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(
                Verdict.Fail, "fsync", e.Message, "the user that runs the node must be able to write to the folder");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Finding Files()
    {
        var line = File.ReadLines("/proc/self/limits")
            .First(l => l.StartsWith("Max open files", StringComparison.Ordinal));
        var limit = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        return int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count < FilesLow
            ? new(Verdict.Warn, "open files", $"at most {limit}", "each client needs one: ulimit -n 65536")
            : new(Verdict.Ok, "open files", $"at most {limit}");
    }
}
