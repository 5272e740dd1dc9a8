using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ChordChat.Tests.Unit.Base;

namespace ChordChat.Tests.Unit.Scripts;

/// <summary>A folder for <c>./startup.sh --local</c> with stand-ins for what it builds: their node makes folders, notes
/// where it was told to listen, and waits; their page does nothing else. Disposing ends all of them.</summary>
internal sealed class StandInCluster : IDisposable
{
    /// <summary>While there is a file "hold", no node is ready before there is a file "gone".</summary>
    private const string Node = """
        #!/bin/bash
        case "$1 $2" in
          'cluster init')
            mkdir -p "$4/cluster"
            for ((i = 1; i <= $6; i++)); do
              mkdir -p "$4/nodes/n$i"
              printf '"name": "n%s"\n' "$i" >>"$4/cluster/cluster.json"
            done
            for folder in "$4"/nodes/*; do cp "$4/cluster/cluster.json" "$folder"; done
            echo YWJj >"$4/cluster/authority.crt"
            echo 'cluster made' ;;
          'run --data')
            echo $$ >>"$FOLDER/pids"
            echo "127.0.0.1:${5##*:}" >"$3/address"
            echo "${5%:*}" >>"$3/listened"
            trap 'kill $!; exit' TERM
            sleep 600 &
            wait ;;
          'ready --data') while [[ -e $FOLDER/hold && ! -e $FOLDER/gone ]]; do sleep 0.05; done ;;
          *) exit 1 ;;
        esac
        """;

    private const string ThePage = """
        #!/bin/bash
        echo $$ >>"$FOLDER/pids"
        trap 'kill $!; exit' TERM
        echo 'The ring is at'
        sleep 600 &
        wait
        """;

    private static int _ports = 21_000 + (Environment.ProcessId % 100 * 64);

    private readonly TemporaryFolder _folder = new();

    public StandInCluster()
    {
        Write("bin/chordchat-node", Node);
        Write("bin/chordchat-visualizer", ThePage);
        File.WriteAllText(_folder["bin/.stamp"], "");
        Port = FreePorts();
    }

    public static string Startup { get; } = Path.Combine(Repository.Root, "startup.sh");

    public string Folder => _folder.Path;

    public string Home => _folder["home"];

    public int Port { get; }

    public string this[string name] => _folder[name];

    /// <summary>A program, with the folders above it.</summary>
    public void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllText(_folder[name], text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder[name], (UnixFileMode)0b111_101_101);
    }

    /// <summary>What was kept of a start, or the number of a process; "" for nothing.</summary>
    public string Kept(string name) =>
        File.Exists(Path.Combine(Home, "run", name)) ? File.ReadAllText(Path.Combine(Home, "run", name)).Trim() : "";

    public Task<Said> StartupAsync(params string[] words) => StartupAtAsync(Home, words);

    /// <param name="home">The data folder, as somebody may write it.</param>
    public Task<Said> StartupAtAsync(string home, params string[] words) => RunAsync(
        new() { ["CHORDCHAT_HOME"] = home }, Startup,
        ["--local", "--port", $"{Port}", "--page-port", $"{Port + 15}", .. words]);

    /// <summary>Runs a bash script to its end.</summary>
    public Task<Said> RunAsync(Dictionary<string, string> environment, string script, params string[] arguments) =>
        EndAsync(Begin(environment, ["/bin/bash", script, .. arguments]));

    /// <summary>In a process group of its own, with signals as a shell at a terminal has them.</summary>
    public Process Begin(Dictionary<string, string> environment, params string[] command)
    {
        var start = new ProcessStartInfo(
            "/usr/bin/setsid", ["env", "--default-signal=INT,PIPE", .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        start.Environment["FOLDER"] = Folder;
        start.Environment["CHORDCHAT_BUILT"] = _folder["bin"];
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static async Task<Said> EndAsync(Process begun)
    {
        using var process = begun;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        return new(process.ExitCode, await output, await error);
    }

    /// <summary>Stand-ins that still run.</summary>
    public IReadOnlyList<Process> Running()
    {
        var pids = File.Exists(_folder["pids"]) ? File.ReadAllLines(_folder["pids"]) : [];
        return [.. pids.Where(IsOurs).Select(pid => Process.GetProcessById(int.Parse(pid, null)))];
    }

    public void Dispose()
    {
        foreach (var process in Running())
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
        }

        _folder.Dispose();
    }

    private bool IsOurs(string pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Contains(Folder, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // It is gone.
        }
    }

    private static int FreePorts()
    {
        while (true)
        {
            var port = Interlocked.Add(ref _ports, 16);
            if (Enumerable.Range(port, 16).All(IsFree))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            probe.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>How a script ended and what it said.</summary>
internal sealed record Said(int Code, string Output, string Error)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"code {Code}\n{Output}\n{Error}");
}
