using System.Diagnostics;

namespace ChordChat.Bench.Nodes;

/// <summary>One node as a process of its own.</summary>
internal sealed class LocalNode : IDisposable
{
    private readonly ProcessStartInfo _start;
    private readonly StreamWriter _log;
    private Process _process;

    public LocalNode(string program, string folder, string name, int port, int beaconPort, int bcryptCost)
    {
        Name = name;
        Address = $"127.0.0.1:{port}";
        _log = new StreamWriter(Path.Combine(folder, $"{name}.log")) { AutoFlush = true };
        _start = new ProcessStartInfo(program)
        {
            ArgumentList =
            {
                "run", "--data", Path.Combine(folder, "nodes", name), "--listen", Address,
                "--multicast-group", $"239.255.67.67:{beaconPort}",
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _start.Environment["CHORDCHAT_CHAT__BCRYPTCOST"] = $"{bcryptCost}";
        _start.Environment["CHORDCHAT_CHAT__SENDSPERMINUTEMAX"] = $"{int.MaxValue}"; // A few senders are the load.
        _process = Run();
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

    /// <summary>As kill -9 does it.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>After <see cref="Kill"/>: the same node, on the same data.</summary>
    public void StartAgain()
    {
        _process.Dispose();
        _process = Run();
    }

    /// <summary>Kills it: its data is thrown away with it.</summary>
    public void Dispose()
    {
        Kill();
        _process.Dispose();
        lock (_log)
            _log.Dispose();
    }

    private Process Run()
    {
        var process = Process.Start(_start)!;
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) => Log(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
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
