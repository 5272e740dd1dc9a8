using System.Diagnostics;

namespace ChordChat.Tests.Nemesis;

/// <summary>One node as a process in its own network.</summary>
internal sealed class Node(string program, string home, Network network, int index)
{
    private Process? _process;

    public int Index => index;
    public string Name => $"n{index + 1}";
    public string Address => $"{Network.AddressOf(index)}:7401";
    public string Folder => Path.Combine(home, "nodes", Name);
    public bool IsUp => _process is { HasExited: false };

    public void Start()
    {
        var start = new ProcessStartInfo("sh")
        {
            ArgumentList =
            {
                "-c", $"exec ip netns exec {network.Space(index)} {program} run --data {Folder} --listen {Address} "
                    + $">>{Path.Combine(home, $"{Name}.log")} 2>&1",
            },
        };
        start.Environment["CHORDCHAT_CHAT__BCRYPTCOST"] = "10";
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // A killed node would leave its diagnostic socket behind.
        start.Environment["TMPDIR"] = home;
        _process = Process.Start(start)!;
    }

    /// <summary>KILL, STOP, CONT or TERM; the shell and ip have become the node by exec.</summary>
    public Task SignalAsync(string signal) =>
        IsUp ? Shell.TryAsync("kill", $"-{signal}", $"{_process!.Id}") : Task.CompletedTask;

    public async Task GoneAsync(TimeSpan patience)
    {
        using var limit = new CancellationTokenSource(patience);
        if (_process is not null)
            await _process.WaitForExitAsync(limit.Token);
    }

    /// <summary>Whether a node says that it can keep a message.</summary>
    public async Task<bool> IsReadyAsync() =>
        (await Shell.TryAsync(program, "ready", "--data", Folder)).Code == 0;

    /// <summary>The ring as this node sees it, or why it does not say.</summary>
    public async Task<string> RingAsync() =>
        (await Shell.TryAsync(program, "ring", "--data", Folder, "--node", Address)).Output;
}
