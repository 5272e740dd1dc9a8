using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace ChordChat.Tests.EndToEnd;

/// <summary>docs/operations.md: what the node's program says, and what it does when a signal comes.</summary>
public sealed class NodeProgramTests(NodeProgramTests.TwoNodes two) : IClassFixture<NodeProgramTests.TwoNodes>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Less than the 20 s for which a node that leaves hands over its tiles.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(15);

    /// <summary>n2 takes nothing, so n1 would wait for it until its time is over.</summary>
    [Theory]
    [InlineData("TERM", "INT")]
    [InlineData("INT", "TERM")]
    public async Task A_second_signal_ends_a_node_that_leaves_at_once_and_nothing_that_was_kept_is_lost(
        string first, string second)
    {
        var text = $"before {first} and {second}";
        var bob = two.Bob;
        await using (var n1 = await two.RunFirstAsync("--log", "json"))
        {
            var sent = Assert.Single(await two.Alice.DoAsync(["send", bob.Name, text], "n1"));
            Assert.Equal("kept", sent.GetProperty("state").GetString());
            Assert.Equal("n1", Assert.Single(sent.GetProperty("copies").EnumerateArray()).GetString());
            await using var stopped = await Stopped.OfAsync(two.Cluster, "n2");

            await n1.SignalAsync(first);
            await n1.SaysAsync("leaving: ");
            await n1.SignalAsync(second);

            Assert.Equal(0, await n1.EndAsync(AtOnce));
            Assert.All(n1.Lines, line => Assert.DoesNotContain("left; this disk", line, StringComparison.Ordinal));
        }

        await using var again = await two.RunFirstAsync();
        var read = await bob.DoAsync(["tail", "--count", "1", "--timeout", "30"], "n1");
        Assert.Equal(text, Assert.Single(read).GetProperty("text").GetString());
    }

    /// <summary>From the start to the end, with all that there is to say.</summary>
    [Fact]
    public async Task A_log_in_json_is_one_object_a_line_and_nothing_else()
    {
        await using var n1 = await two.RunFirstAsync("--log", "json", "--log-level", "Debug");
        await two.Alice.DoAsync(["send", two.Bob.Name, "what no log may hold"], "n1");
        await two.Bob.DoAsync(["tail", "--count", "1", "--timeout", "30"], "n1");
        await n1.SignalAsync("TERM");
        await n1.SaysAsync("leaving: ");
        await n1.SignalAsync("TERM");
        Assert.Equal(0, await n1.EndAsync(AtOnce));

        Assert.Equal("", await n1.Error);
        var events = n1.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.All(events, one =>
        {
            Assert.True(one.GetProperty("time").GetDateTime() > DateTime.UtcNow.AddHours(-1));
            Assert.NotEqual("", one.GetProperty("level").GetString());
            Assert.NotEqual("", one.GetProperty("text").GetString());
        });
        var started = Assert.Single(events, one => TextOf(one).StartsWith("n1 answers at", StringComparison.Ordinal));
        Assert.Equal(6001, started.GetProperty("event").GetInt32());
        Assert.Equal(two.Cluster.Address("n1"), started.GetProperty("Address").GetString());
        Assert.DoesNotContain(events, one => TextOf(one).Contains("no log may hold", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_command_that_a_signal_ends_says_which_by_its_exit_code_and_has_done_nothing(
        string signal, int code)
    {
        await using var command = new NodeProgram(
            ["cluster", "revoke", "n2", "--data", two.Cluster.Home], two.Cluster.Environment());
        await command.AsksAsync("Type yes to go on: ");

        await command.SignalAsync(signal);

        Assert.Equal(code, await command.EndAsync(AtOnce));
        Assert.False(File.Exists(Path.Combine(two.Cluster.Home, "cluster", "denied")), "n2 was revoked");
    }

    private static string TextOf(JsonElement line) => line.GetProperty("text").GetString()!;

    /// <summary>n1, which each test runs itself, and n2; one copy of everything, so that n1 alone keeps bob's
    /// mail.</summary>
    public sealed class TwoNodes : IAsyncLifetime
    {
        private string _address = "";

        internal LocalCluster Cluster { get; private set; } = null!;

        internal Person Alice { get; private set; } = null!;

        internal Person Bob { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Cluster = await LocalCluster.StartAsync(2, "--replicas", "0");
            Alice = new(Cluster, "alice");
            await Alice.RegisterAsync("n1");
            for (var i = 1; Bob is null; i++)
            {
                var one = new Person(Cluster, $"bob{i}");
                await one.RegisterAsync("n1");
                var sent = Assert.Single(await Alice.DoAsync(["send", one.Name, "hello"], "n1"));
                await one.DoAsync(["tail", "--count", "1", "--timeout", "30"], "n1");
                if (sent.GetProperty("copies")[0].GetString() == "n1")
                    Bob = one;
            }

            _address = Cluster.Address("n1");
            await Cluster.KillAsync("n1");
        }

        public Task DisposeAsync() => Cluster.DisposeAsync().AsTask();

        internal async Task<NodeProgram> RunFirstAsync(params string[] options)
        {
            // It goes on believing in n2 when that is stopped.
            var environment = new Dictionary<string, string>(Cluster.Environment())
            {
                ["CHORDCHAT_MEMBERSHIP__PROBETIMEOUT"] = "00:05:00",
            };
            var node = new NodeProgram(
                ["run", "--data", Path.Combine(Cluster.Home, "nodes", "n1"), "--listen", _address, .. options],
                environment);
            try
            {
                await node.SaysAsync(", 1 successors"); // It has heard n2.
                return node;
            }
            catch
            {
                await node.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>A node that does nothing, while its kernel goes on accepting connections.</summary>
    private sealed class Stopped(string pid) : IAsyncDisposable
    {
        public static async Task<Stopped> OfAsync(LocalCluster cluster, string node)
        {
            var pid = await File.ReadAllTextAsync(Path.Combine(cluster.Home, "run", $"{node}.pid"));
            await NodeProgram.SignalAsync("STOP", pid.Trim());
            return new(pid.Trim());
        }

        public async ValueTask DisposeAsync() => await NodeProgram.SignalAsync("CONT", pid);
    }

    /// <summary>The node's program, run by a test itself, and what it says.</summary>
    internal sealed class NodeProgram : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly List<string> _lines = [];

        public NodeProgram(string[] arguments, IDictionary<string, string> environment)
        {
            // What a shell runs in the background ignores Ctrl+C, the tests perhaps.
            string[] heeding = OperatingSystem.IsLinux() ? ["--default-signal=INT"] : [];
            _process = LocalCluster.Begin("env", [.. heeding, LocalCluster.NodeProgram, .. arguments], environment);
            Error = arguments[0] == "run" ? _process.StandardError.ReadToEndAsync() : Task.FromResult("");
        }

        /// <summary>All that a node has said on standard error, at its end.</summary>
        public Task<string> Error { get; }

        public IReadOnlyList<string> Lines => _lines;

        public Task SignalAsync(string signal) => SignalAsync(signal, $"{_process.Id}");

        public static async Task SignalAsync(string signal, string pid)
        {
            var done = await LocalCluster.RunAsync("kill", [$"-{signal}", pid], new Dictionary<string, string>());
            Assert.True(done.ExitCode == 0, done.Error);
        }

        /// <summary>Waits until the log has a line with this.</summary>
        public async Task SaysAsync(string text)
        {
            using var limit = new CancellationTokenSource(Patience);
            while (!_lines.Any(line => line.Contains(text, StringComparison.Ordinal)))
                _lines.Add(await _process.StandardOutput.ReadLineAsync(limit.Token)
                    ?? throw new InvalidOperationException($"it ended and never said: {text}\n{await Error}"));
        }

        /// <summary>Waits for a question, which no line end follows.</summary>
        public async Task AsksAsync(string question)
        {
            using var limit = new CancellationTokenSource(Patience);
            var (said, sign) = ("", new char[1]);
            while (!said.EndsWith(question, StringComparison.Ordinal))
            {
                Assert.True(await _process.StandardError.ReadAsync(sign, limit.Token) == 1, $"it ended: {said}");
                said += sign[0];
            }
        }

        public async Task<int> EndAsync(TimeSpan within)
        {
            using var limit = new CancellationTokenSource(within);
            while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
                _lines.Add(line);
            await _process.WaitForExitAsync(limit.Token);
            return _process.ExitCode;
        }

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
                _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
    }
}
