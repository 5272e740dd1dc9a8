using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>Wireshark's dumpcap on the loopback interface: all that a cluster's ports say to each other.</summary>
internal sealed class Capture : IAsyncDisposable
{
    private const string Program = "/usr/bin/dumpcap";

    private readonly Process _process;

    private Capture(Process process, string file) => (_process, File) = (process, file);

    public string File { get; }

    /// <summary>Why nothing can be captured here, or null.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    /// <param name="file">Where to write; in a folder that dumpcap may write to.</param>
    public static async Task<Capture> StartAsync(string file, int firstPort, int lastPort)
    {
        var process = LocalCluster.Begin(
            Program, ["-q", "-i", "lo", "-f", $"tcp portrange {firstPort}-{lastPort} or udp port 7400", "-w", file],
            new Dictionary<string, string>());
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var said = "";
        while (!said.Contains("File:", StringComparison.Ordinal))
        {
            var line = await process.StandardError.ReadLineAsync(limit.Token)
                ?? throw new InvalidOperationException($"dumpcap ended: {said}");
            said += line;
        }

        _ = process.StandardError.ReadToEndAsync(CancellationToken.None);
        return new(process, file);
    }

    /// <summary>Waits until this stands in the file, and with it all that was said before.</summary>
    public async Task HeardAsync(Secret spoken)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Secret.Find([spoken], File).Count == 0)
            await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
    }

    /// <summary>Ends it. Packets that it had not read yet are lost.</summary>
    public async Task StopAsync()
    {
        if (_process.HasExited)
            return;
        using var stop = Process.Start("kill", ["-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await _process.WaitForExitAsync(limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _process.Dispose();
    }

    private static string? FindObstacle()
    {
        if (!System.IO.File.Exists(Program))
            return $"{Program} is not installed (Debian's package tshark)";
        // -d only compiles the filter, but for that it opens the interface.
        using var trial = LocalCluster.Begin(
            Program, ["-i", "lo", "-d", "-f", "tcp"], new Dictionary<string, string>());
        trial.StandardOutput.ReadToEnd();
        trial.WaitForExit();
        return trial.ExitCode == 0 ? null : "dumpcap may not listen on the loopback interface here";
    }
}

/// <summary>A test that reads captured traffic, and is skipped where none can be captured.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CaptureFactAttribute : FactAttribute
{
    public CaptureFactAttribute() => Skip = Capture.Obstacle;
}
