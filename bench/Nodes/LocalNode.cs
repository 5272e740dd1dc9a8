using System.Diagnostics;

namespace ChordChat.Bench.Nodes;

/// <summary>One node as a process of its own.</summary>
internal sealed class LocalNode : IDisposable
{
    private readonly Process _process;
    private readonly StreamWriter _log;

    public LocalNode(string program, string folder, string name, int port, int beaconPort, int bcryptCost)
    {
        Name = name;
        Address = $"127.0.0.1:{port}";
        _log = new StreamWriter(Path.Combine(folder, $"{name}.log")) { AutoFlush = true };
        var start = new ProcessStartInfo(program)
        {
            ArgumentList =
            {
                "run", "--data", Path.Combine(folder, "nodes", name), "--listen", Address,
                "--multicast-group", $"239.255.67.67:{beaconPort}",
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["CHORDCHAT_CHAT__BCRYPTCOST"] = $"{bcryptCost}";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Log(line.Data);
        _process.ErrorDataReceived += (_, line) => Log(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    /// <summary>host:port.</summary>
    public string Address { get; }

    public bool HasEnded => _process.HasExited;

    public int ProcessId => _process.Id;

    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public long WorkingSetBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Kills it: its data is thrown away with it.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        lock (_log)
            _log.Dispose();
    }

    private void Log(string? line)
    {
        if (line is null)
            return;
        lock (_log)
            if (_log.BaseStream is { CanWrite: true })
                _log.WriteLine(line);
    }
}
