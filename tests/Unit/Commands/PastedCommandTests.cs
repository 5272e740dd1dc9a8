using System.Diagnostics;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Commands;

/// <summary>docs/operations.md: a command that the program prints can be pasted into a shell, whatever its folder is
/// called.</summary>
public sealed class PastedCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("plain")]
    [InlineData("with a space")]
    [InlineData("it's $HOME; `x` \\n #*")]
    public async Task Init_and_viewer_print_folders_as_a_shell_reads_them(string name)
    {
        if (!OperatingSystem.IsLinux())
            return;
        var data = _folder[name];
        var node = Path.Combine(AppContext.BaseDirectory, "chordchat-node");

        var made = await RunAsync(node, "cluster", "init", "--data", data, "--nodes", "1");
        var run = made.Split('\n').Single(line => line.Contains("chordchat-node run", StringComparison.Ordinal));
        Assert.Equal(["run", "--data", $"{data}/nodes/n1"], await PastedAsync(run));

        var page = await RunAsync(node, "cluster", "viewer", "--data", data, "--out", $"{data}/page");
        Assert.Equal(["--viewer", $"{data}/page"], await PastedAsync(page));
    }

    /// <summary>The arguments that a shell passes on.</summary>
    private static async Task<string[]> PastedAsync(string line)
    {
        var words = line.Trim();
        words = words[words.IndexOf(' ', StringComparison.Ordinal)..];
        var passed = await RunAsync("/bin/sh", "-c", $"show() {{ printf '%s\\n' \"$@\"; }}\nshow{words}");
        return passed.TrimEnd('\n').Split('\n');
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(patience.Token);
        var error = process.StandardError.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }
}
