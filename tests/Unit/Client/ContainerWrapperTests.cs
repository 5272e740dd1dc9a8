using System.Diagnostics;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary><c>./chordchat</c> where the client runs in a container, with a stand-in for <c>docker</c> that ends as the
/// real one does: it passes no signal on.</summary>
public sealed class ContainerWrapperTests : IDisposable
{
    private const string Docker = """
        #!/bin/bash
        printf '%s\n' $$ "$@" >>"$RECORD.docker"
        shift
        while [[ $1 == -* ]]; do
          if [[ $1 == -e ]]; then [[ $2 == *=* ]] && export "${2?}"; shift; fi
          shift
        done
        shift
        exec 3<&0
        setsid "$@" <&3 &
        wait $!
        """;

    private const string Client = """
        #!/bin/bash
        for signal in TERM HUP INT; do
          trap "echo $signal >$RECORD; exit 3" "$signal"
        done
        if [[ $1 == history ]]; then echo "has $CHORDCHAT_PASSWORD"; exit; fi
        read -r line
        echo "$* $line"
        exec 2>/dev/null # The signal may hit the sleep, too, of which bash would say something.
        while true; do sleep 0.05; done
        """;

    private readonly string _folder = Path.Combine(
        Path.GetTempPath(), "chordchat-tests", Guid.NewGuid().ToString("n"));

    public ContainerWrapperTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "run"));
        Directory.CreateDirectory(Path.Combine(_folder, "built")); // For a cluster of processes, say.
        File.WriteAllText(Path.Combine(_folder, "run/mode"), "containers");
        if (!OperatingSystem.IsWindows())
            foreach (var (name, text) in new[]
                { ("docker", Docker), ("chordchat", Client), ("built/chordchat", "#!/bin/false") })
            {
                var file = Path.Combine(_folder, name);
                File.WriteAllText(file, text);
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
    }

    private string Record => Path.Combine(_folder, "record");

    /// <summary>Of each call of the stand-in its process id and its arguments, a line each.</summary>
    private string DockerRecord => Record + ".docker";

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Or the program in the container would run on, and take messages that nobody sees.</summary>
    [Fact]
    public async Task A_signal_reaches_the_program_in_the_container_and_its_code_comes_back()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/bin/bash"))
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var wrapper = Start("tail", "two words");
        await wrapper.StandardInput.WriteLineAsync("typed");
        Assert.Equal("tail two words typed", await wrapper.StandardOutput.ReadLineAsync(patience.Token));
        using (var kill = Process.Start("kill", ["-TERM", $"{wrapper.Id}"])) // Some hosts of tests ignore the others.
            await kill.WaitForExitAsync(patience.Token);
        await wrapper.WaitForExitAsync(patience.Token);
        Assert.Equal("", await wrapper.StandardError.ReadToEndAsync(patience.Token));
        Assert.Equal((3, "TERM"), (wrapper.ExitCode, (await File.ReadAllTextAsync(Record, patience.Token)).Trim()));
    }

    /// <summary>As when its reader has gone (<c>./chordchat tail | head -1</c>), or somebody kills it.</summary>
    [Fact]
    public async Task A_program_whose_docker_has_ended_by_itself_is_told_to_end_too()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/bin/bash"))
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var wrapper = Start("tail");
        await wrapper.StandardInput.WriteLineAsync("typed");
        Assert.Equal("tail typed", await wrapper.StandardOutput.ReadLineAsync(patience.Token));
        using (var kill = Process.Start("kill", ["-KILL", File.ReadLines(DockerRecord).First()]))
            await kill.WaitForExitAsync(patience.Token);
        await wrapper.WaitForExitAsync(patience.Token);
        await wrapper.StandardOutput.ReadToEndAsync(patience.Token); // Until the program has ended, which has it, too.

        Assert.Equal((137, "TERM"), (wrapper.ExitCode, (await File.ReadAllTextAsync(Record, patience.Token)).Trim()));
    }

    /// <summary>docs/operations.md, "In containers": what the console is told by its environment.</summary>
    [Fact]
    public async Task Profile_colours_and_time_zone_go_along_and_no_common_keys_leave_the_program_alone()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/bin/bash"))
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var wrapper = Start("history", "bob");
        await wrapper.WaitForExitAsync(patience.Token);

        var options = await File.ReadAllLinesAsync(DockerRecord, patience.Token);
        foreach (var option in new[] { "CHORDCHAT_PROFILE", "NO_COLOR", "TZ=Europe/Berlin" })
            Assert.Equal("-e", options[Array.IndexOf(options, option) - 1]);
        Assert.Contains(options, option => option.StartsWith("--detach-keys=", StringComparison.Ordinal));
    }

    /// <summary>As it is asked for without containers, when only the output goes elsewhere.</summary>
    [Fact]
    public async Task A_password_is_asked_for_at_the_keyboard_when_the_output_is_piped()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/script"))
            return;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var terminal = Start(
            "/usr/bin/script", ["-qec", $"bash '{Wrapper}' history bob | cat", "/dev/null"]);
        var shown = "";
        for (var read = new char[1]; !shown.Contains("password: ", StringComparison.Ordinal); shown += read[0])
            Assert.True(await terminal.StandardOutput.ReadAsync(read, patience.Token) > 0, shown);
        await terminal.StandardInput.WriteLineAsync("open sesame");
        shown += await terminal.StandardOutput.ReadToEndAsync(patience.Token);

        Assert.Contains("has open sesame", shown, StringComparison.Ordinal);
        Assert.Equal(2, shown.Split("sesame").Length); // Not while it was typed.
    }

    private static string Wrapper => Path.Combine(Repository.Root, "chordchat");

    private Process Start(params string[] arguments) => Start("/bin/bash", [Wrapper, .. arguments]);

    private Process Start(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{_folder}:{start.Environment["PATH"]}";
        start.Environment["CHORDCHAT_HOME"] = _folder;
        start.Environment["CHORDCHAT_BUILT"] = Path.Combine(_folder, "built");
        start.Environment["CHORDCHAT_TRUST"] = "not asked for";
        start.Environment["RECORD"] = Record;
        start.Environment["TZ"] = "Europe/Berlin";
        start.Environment.Remove("CHORDCHAT_PASSWORD");
        return Process.Start(start)!;
    }
}
