using System.Diagnostics;

namespace ChordChat.Tests.Nemesis;

/// <summary>One node as a process in its own network.</summary>
internal sealed class Node(Options options, string home, Network network, int index)
{
    private const int InvitationTriesMax = 10;

    private readonly string _program = options.Program;
    private readonly List<int> _ends = [];
    private Process? _process;

    public int Index => index;

    /// <summary>Another one after the node lost its disk and joined anew.</summary>
    public string Name { get; private set; } = $"n{index + 1}";

    public string Address => $"{Network.AddressOf(index)}:7401";
    public string Folder => Path.Combine(home, "nodes", Name);
    public string Home => home;
    public bool IsUp => _process is { HasExited: false };

    /// <summary>Of the folder, when it is a small one of its own; null when the node shares the machine's.</summary>
    public Disk? Disk { get; set; }

    /// <summary>What the process believes the time is; null when it goes by the machine's.</summary>
    public Clock? Clock { get; set; }

    /// <summary>What makes its disk slow; null when that cannot be had.</summary>
    public SlowDisk? SlowDisk { get; set; }

    /// <summary>What its machine would lose with its power; null when that cannot be had.</summary>
    public Unsynced? Unsynced { get; set; }

    /// <summary>A node that it is told of; null when it finds the others by multicast alone.</summary>
    public string? Seed { get; set; }

    /// <summary>How its processes ended; 128 and more are signals.</summary>
    public IReadOnlyList<int> Ends => _ends;

    public void Start()
    {
        CountEnd();
        var start = new ProcessStartInfo("sh")
        {
            ArgumentList =
            {
                "-c", $"exec ip netns exec {network.Space(index)} {_program} run --data {Folder} --listen {Address} "
                    + (Seed is null ? "" : $"--seed {Seed} ") + $">>{Path.Combine(home, $"n{index + 1}.log")} 2>&1",
            },
        };
        start.Environment["CHORDCHAT_CHAT__BCRYPTCOST"] = "10";
        if (options.SplitPerNode is { } tiles)
            start.Environment["CHORDCHAT_STEWARD__SPLITPERNODE"] = $"{tiles}";
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // A killed node would leave its diagnostic socket behind.
        start.Environment["TMPDIR"] = home;
        Clock?.Wear(start);
        SlowDisk?.Wear(start);
        Unsynced?.Wear(start, Folder);
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

    /// <summary>Throws the folder away and becomes a new node at the same address, with a token of another.</summary>
    /// <exception cref="InvalidOperationException">The cluster did not let it in; the text says why.</exception>
    public async Task JoinAnewAsync(Node host)
    {
        Directory.Delete(Folder, recursive: true);
        var token = await InviteAsync(host);
        var file = Path.Combine(home, $"token-{Name}");
        await File.WriteAllTextAsync(file, token);
        var said = await Shell.RunAsync(_program, "cluster", "join", "--token-file", file, "--data", home);
        File.Delete(file);
        Name = Path.GetFileName(said.TrimEnd());
        CountEnd();
        _process = null;
    }

    /// <summary>A machine under load may take more than one try.</summary>
    private async Task<string> InviteAsync(Node host)
    {
        for (var tries = 1; ; tries++)
        {
            var (code, said) = await Shell.TryAsync(
                _program, "cluster", "invite", "--data", home, "--node", host.Address);
            if (code == 0)
                return said.Split('\n')[0];
            if (tries == InvitationTriesMax)
                throw new InvalidOperationException($"cluster invite at {host.Name} gave {code}: {said}");
        }
    }

    /// <summary>Whether a node says that it can keep a message.</summary>
    public async Task<bool> IsReadyAsync() =>
        (await Shell.TryAsync(_program, "ready", "--data", Folder)).Code == 0;

    /// <summary>Whether every tile of this node has enough complete copies on others.</summary>
    public async Task<bool> IsSafeToStopAsync() =>
        (await Shell.TryAsync(_program, "safe-to-stop", "--data", Folder)).Code == 0;

    /// <summary>The ring as this node sees it, or why it does not say.</summary>
    public async Task<string> RingAsync() =>
        (await Shell.TryAsync(_program, "ring", "--data", Folder, "--node", Address)).Output;

    /// <summary>Adds the end of the last process, if it has ended.</summary>
    public void CountEnd()
    {
        if (_process is not { HasExited: true } ended)
            return;
        _ends.Add(ended.ExitCode);
        _process = null;
    }
}
