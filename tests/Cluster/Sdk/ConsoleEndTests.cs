using System.Diagnostics;
using System.Globalization;
using System.Text;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Cluster.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>README.md: what was typed to somebody whom nodes are still asked for when the console ends.</summary>
public sealed class ConsoleEndTests : TwoFakeNodes
{
    private const string Text = "are you there?";
    private const string Said = "your message to carol was not stored and is not sent: " + Text;

    [Theory]
    [InlineData("/quit\r", 0)]
    [InlineData("\u0004", 0)]
    [InlineData(null, 143)]
    public async Task A_text_that_was_not_stored_in_time_is_said(string? typed, int code)
    {
        if (!HasTerminal)
            return;
        var folder = await ReadyAsync();
        using var console = await OpenAsync(folder, isTerminal: true);
        if (typed is null)
            console.Terminate();
        else
            await console.TypeAsync(typed);

        var all = await console.EndAsync();

        Assert.Contains(Said, all, StringComparison.Ordinal);
        Assert.Contains($"ended with {code}.", all, StringComparison.Ordinal);
        Assert.Empty(Texts(folder));
    }

    [Fact]
    public async Task A_text_from_a_pipe_that_was_not_stored_when_a_signal_came_is_said()
    {
        if (!HasTerminal)
            return;
        var folder = await ReadyAsync();
        using var console = await OpenAsync(folder, isTerminal: false);
        console.CloseInput();
        console.Terminate();

        var all = await console.EndAsync();

        Assert.Contains(Said, all, StringComparison.Ordinal);
        Assert.Contains("ended with 143.", all, StringComparison.Ordinal);
    }

    /// <summary>Each line asked for her itself, and was stored when its own answer came; what was typed after /chat
    /// went to the chat that was open before.</summary>
    [Fact]
    public async Task Texts_to_somebody_who_is_still_looked_up_are_stored_in_their_order()
    {
        if (!HasTerminal)
            return;
        var folder = await ReadyAsync();
        using var console = await OpenAsync(folder, isTerminal: false);
        await console.TypeAsync("/chat carol\ntwo\n/msg carol three\nfour\n");
        console.CloseInput();
        await console.ReadAsync();
        Cluster.Silent.Clear();

        var all = await console.EndAsync();

        Assert.Contains("ended with 0.", all, StringComparison.Ordinal);
        Assert.Equal([Text, "two", "three", "four"], Texts(folder));
    }

    /// <summary>README.md, exit codes: it ended with 0.</summary>
    [Fact]
    public async Task A_pipe_from_which_a_text_was_not_stored_ends_with_1()
    {
        if (!HasTerminal)
            return;
        await using var alice = await Person.RegisterAsync("alice", N1);
        using var console = await RunningConsole.StartAsync(alice.Folder, N1.Address, isTerminal: false);
        await console.TypeAsync("/msg nobody hello\n/quit\n");
        var all = await console.EndAsync();
        Assert.Contains("your message to nobody was not stored", all, StringComparison.Ordinal);
        Assert.Contains("ended with 1.", all, StringComparison.Ordinal);
    }

    /// <summary>The node's answer came when nobody looked any more, and the pipe ended with 0.</summary>
    [Fact]
    public async Task A_pipe_names_a_text_that_is_refused_after_its_end_and_ends_with_1()
    {
        if (!HasTerminal)
            return;
        await using var bob = await Person.RegisterAsync("bob", N1);
        await using var alice = await Person.RegisterAsync("alice", N1);
        await alice.WaitAsync(alice.Client.Send("bob", "now I know you"), MessageState.Kept);
        await alice.DisposeAsync();
        Cluster.RefuseMailTo = to => to == "bob" ? "blocked" : null;
        using var console = await RunningConsole.StartAsync(alice.Folder, N1.Address, isTerminal: false);
        await console.TypeAsync("/msg bob hello\n/quit\n");
        var all = await console.EndAsync();
        Assert.Matches("your message was refused .*: hello", all);
        Assert.Contains("ended with 1.", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_is_stored_when_nodes_answer_soon_after_the_end()
    {
        if (!HasTerminal)
            return;
        var folder = await ReadyAsync();
        using var console = await OpenAsync(folder, isTerminal: true);
        await console.TypeAsync("/quit");
        await console.SeesAsync("/quit");
        await console.TypeAsync("\r");
        await console.ReadAsync(); // It has seen that as well.
        Cluster.Silent.Clear();

        var all = await console.EndAsync();

        if (!all.Contains(Said, StringComparison.Ordinal)) // Else this machine was too busy, and it was said.
            Assert.Equal([Text], Texts(folder));
    }

    /// <summary>A window that is closed takes the terminal away, and nothing can be written there any more.</summary>
    [Fact]
    public async Task What_was_typed_waits_for_nodes_or_is_told_also_when_the_window_was_closed()
    {
        if (!HasTerminal)
            return;
        var folder = await ReadyAsync();
        await using var bob = await Person.RegisterAsync("bob", N1);
        Cluster.HasQuorum = false;
        var errors = Path.Combine(folder, "errors");
        using var console = await RunningConsole.StartAsync(folder, N1.Address, isTerminal: true, errors);
        await console.TypeAsync("/msg bob hello\r");
        await Condition.UntilAsync(
            "it is at a node", Person.Patience, () => Task.FromResult(!Cluster.AgesMs.IsEmpty));

        await console.CloseWindowAsync();

        var said = await File.ReadAllTextAsync(errors);
        Assert.True(said.Contains("1 message waits on this machine", StringComparison.Ordinal), said);
    }

    private static bool HasTerminal => File.Exists("/bin/bash") && File.Exists("/usr/bin/script");

    /// <summary>Alice's profile. Carol has an account, but a question for her stays without an answer.</summary>
    private async Task<string> ReadyAsync()
    {
        await using var carol = await Person.RegisterAsync("carol", N1);
        await using var alice = await Person.RegisterAsync("alice", N1);
        Cluster.Silent["carol"] = true;
        return alice.Folder;
    }

    private static List<string> Texts(string folder)
    {
        using var profile = Profile.Open(folder);
        using var me = profile.Unlock(Person.Password);
        return [.. History.Of(me).With("carol").Select(message => message.Text)];
    }

    /// <summary>The console of alice, who has just written to carol.</summary>
    private async Task<RunningConsole> OpenAsync(string folder, bool isTerminal)
    {
        var console = await RunningConsole.StartAsync(folder, N1.Address, isTerminal);
        await console.TypeAsync($"/msg carol {Text}{(isTerminal ? '\r' : '\n')}");
        await Condition.UntilAsync(
            "a node is asked for carol", Person.Patience,
            () => Task.FromResult(Cluster.KeyLogCalls.ContainsKey("carol")));
        return console;
    }

    /// <summary>The program, at a terminal that <c>script</c> makes or with pipes.</summary>
    private sealed class RunningConsole(Process shell) : IDisposable
    {
        private readonly StringBuilder _shown = new();

        /// <param name="errors">The file for what it says on standard error; null for where the rest goes.</param>
        public static async Task<RunningConsole> StartAsync(
            string folder, string node, bool isTerminal, string? errors = null)
        {
            var to = errors is null ? "2>&1" : $"2>'{errors}'";
            var run = Path.Combine(folder, "run.sh");
            await File.WriteAllTextAsync(
                run,
                $"""
                stty cols 200 2>/dev/null
                (echo "pid $BASHPID ."; exec dotnet '{ScriptingTests.Program}' --profile '{folder}' --node {node}) {to}
                echo "ended with $?."
                """);
            var start = new ProcessStartInfo(
                "/bin/bash", ["-c", isTerminal ? $"exec script -qec 'bash {run}' /dev/null" : $"exec bash {run}"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                StandardOutputEncoding = Encoding.UTF8,
            };
            start.Environment["CHORDCHAT_PASSWORD"] = Person.Password;
            start.Environment["LC_ALL"] = "C.UTF-8";
            start.Environment["TERM"] = "xterm";
            start.Environment["NO_COLOR"] = "1"; // Or there are colours between the words.
            var console = new RunningConsole(Process.Start(start)!);
            await console.SeesAsync(isTerminal ? "alice> " : " .");
            return console;
        }

        public async Task TypeAsync(string keys)
        {
            await shell.StandardInput.WriteAsync(keys);
            await shell.StandardInput.FlushAsync();
        }

        public void CloseInput() => shell.StandardInput.Close();

        public void Terminate()
        {
            using var kill = Process.Start("kill", ["-TERM", Pid]);
            kill.WaitForExit();
        }

        /// <summary>Takes the terminal away, and waits until the program has ended.</summary>
        public async Task CloseWindowAsync()
        {
            using var program = Process.GetProcessById(int.Parse(Pid, CultureInfo.InvariantCulture));
            shell.Kill();
            using var patience = new CancellationTokenSource(Person.Patience);
            await program.WaitForExitAsync(patience.Token);
        }

        private string Pid => _shown.ToString().Split("pid ")[1].Split(' ')[0];

        public async Task SeesAsync(string text)
        {
            while (!_shown.ToString().Contains(text, StringComparison.Ordinal))
                Assert.True(await ReadAsync(), $"it ended before it showed '{text}':\n{_shown}");
        }

        /// <returns>All that it has shown.</returns>
        public async Task<string> EndAsync()
        {
            while (await ReadAsync())
            {
            }

            return _shown.ToString();
        }

        /// <returns>False when it has ended.</returns>
        public async Task<bool> ReadAsync()
        {
            using var patience = new CancellationTokenSource(Person.Patience);
            var buffer = new char[4096];
            try
            {
                var count = await shell.StandardOutput.ReadAsync(buffer, patience.Token);
                _shown.Append(buffer, 0, count);
                return count > 0;
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"it shows nothing more:\n{_shown}");
            }
        }

        public void Dispose()
        {
            if (!shell.HasExited)
                shell.Kill(entireProcessTree: true);
            shell.Dispose();
        }
    }
}
