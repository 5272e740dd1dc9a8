using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>The console client at a terminal (a pseudo-terminal that <c>script</c> makes), and a person at its
/// keys.</summary>
internal sealed partial class Terminal : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly StringBuilder _shown = new();
    private int _read;

    private Terminal(Process process) => _process = process;

    public static Terminal Open(LocalCluster cluster, string profile, string node)
    {
        var program = Path.Combine(LocalCluster.Repository, "chordchat");
        string[] arguments =
            ["-qec", $"'{program}' --profile '{profile}' --node {cluster.Address(node)}", "/dev/null"];
        return new(LocalCluster.Begin(TerminalFactAttribute.Program, arguments, cluster.Environment()));
    }

    /// <summary>Waits until the program shows this, after all that was waited for before. Colours and moves of the
    /// cursor do not count.</summary>
    public async Task SeesAsync(string text)
    {
        using var limit = new CancellationTokenSource(Patience);
        var buffer = new char[4096];
        int at;
        while ((at = Escapes().Replace(_shown.ToString(), "").IndexOf(text, _read, StringComparison.Ordinal)) < 0)
            try
            {
                var count = await _process.StandardOutput.ReadAsync(buffer, limit.Token);
                Assert.True(count > 0, $"the program ended before it showed '{text}':\n{_shown}");
                _shown.Append(buffer, 0, count);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"'{text}' was not shown:\n{_shown}");
            }

        _read = at + text.Length;
    }

    /// <summary>Waits for a question and answers it.</summary>
    public async Task AnswerAsync(string question, string answer)
    {
        await SeesAsync(question);
        await _process.StandardInput.WriteAsync($"{answer}\r");
        await _process.StandardInput.FlushAsync();
    }

    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    [GeneratedRegex("\u001b\\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Escapes();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

/// <summary>A test at a terminal, which is skipped where nothing makes one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TerminalFactAttribute : FactAttribute
{
    public const string Program = "/usr/bin/script";

    public TerminalFactAttribute() =>
        Skip = OperatingSystem.IsLinux() && File.Exists(Program) ? null : $"{Program} of util-linux is not here";
}
