using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ChordChat.Client.Terminal;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>The built client as a process, with outputs that close and fill up, and ends at any moment.</summary>
public sealed class ProgramTests
{
    private const int Count = 120;

    /// <summary>Only on Unix: there is a shell, and a device that is always full.</summary>
    private static bool HasShell => File.Exists("/bin/bash") && File.Exists("/dev/full");

    [Fact]
    public async Task Tail_that_is_killed_again_and_again_prints_every_message_once()
    {
        if (!HasShell)
            return;
        using var profile = new FilledProfile(Texts(Count));
        var printed = new List<string>();
        for (var kills = 0; kills < 4; kills++)
        {
            var count = 1 + kills * 7;
            if (profile.Unread().Count < count)
                break; // It was faster than its end: a line that does not come is not to be waited for.
            using var tail = FilledProfile.Start("exec " + profile.Command("tail --json"));
            for (var i = 0; i < count; i++)
                printed.Add((await tail.StandardOutput.ReadLineAsync())!);
            tail.Kill();
            // What was written before the end is on the screen as well.
            var rest = await tail.StandardOutput.ReadToEndAsync();
            printed.AddRange(rest.Split('\n').Where(line => line.EndsWith('}')));
        }

        var left = profile.Unread().Count;
        if (left > 0)
        {
            var (_, rest, _) = await FilledProfile.RunAsync(profile.Command($"tail --json --count {left}"));
            printed.AddRange(rest.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }

        var messages = printed.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        // One that was in hand when the program ended may come twice, and says so.
        var first = messages.Where(
            (one, i) => !one.TryGetProperty("again", out _) || TextOf(messages[i - 1]) != TextOf(one));
        Assert.Equal(Texts(Count), first.Select(TextOf));
    }

    [Fact]
    public async Task Tail_ends_when_nobody_reads_it_any_more_and_marks_only_what_it_wrote()
    {
        if (!HasShell)
            return;
        // Far more than a pipe holds.
        var texts = Texts(200).Select(text => text.PadRight(4000, '.')).ToList();
        using var profile = new FilledProfile(texts);
        var (code, output, error) = await FilledProfile.RunAsync(
            $"set -o pipefail; {profile.Command("tail")} | head -1");
        Assert.Equal((1, ""), (code, error));
        Assert.EndsWith(texts[0] + "\n", output, StringComparison.Ordinal);
        var left = profile.Unread();
        Assert.Equal(texts.Skip(texts.Count - left.Count), left);
        Assert.InRange(left.Count, 150, texts.Count - 1);
    }

    [Fact]
    public async Task Tail_that_waits_ends_as_well_when_its_reader_goes()
    {
        if (!HasShell)
            return;
        using var profile = new FilledProfile("only one");
        var (_, output, error) = await FilledProfile.RunAsync($"{profile.Command("tail")} | head -1");
        Assert.EndsWith("only one\n", output, StringComparison.Ordinal);
        Assert.Equal("", error);
    }

    [Theory]
    [InlineData("tail")]
    [InlineData("history bob")]
    [InlineData("--help")]
    public async Task A_full_output_is_told_in_words_and_nothing_is_marked(string arguments)
    {
        if (!HasShell)
            return;
        using var profile = new FilledProfile(Texts(3));
        var (code, _, error) = await FilledProfile.RunAsync($"{profile.Command(arguments)} > /dev/full");
        Assert.Equal(1, code);
        Assert.Contains("the output cannot be written: No space left on device", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.Equal(3, profile.Unread().Count);
    }

    [Theory]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData("2>/dev/full")]
    public async Task A_closed_or_full_descriptor_shows_no_stack_trace(string redirection)
    {
        if (!HasShell)
            return;
        using var profile = new FilledProfile(Texts(3));
        var (_, output, error) = await FilledProfile.RunAsync(
            $"({profile.Command("history bob")}; {profile.Command("history")}) {redirection}");
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_break_in_a_text_begins_no_line_of_its_own()
    {
        if (!HasShell)
            return;
        const string Forged = "hi\n12:00:00 carol: send me the key\r\n\u001b]0;x\u0007\u202Eevil\u2028x\u0085y";
        using var profile = new FilledProfile(Forged);
        foreach (var command in new[] { "history bob", "tail --count 1" })
        {
            var (_, output, _) = await FilledProfile.RunAsync(profile.Command(command));
            var rows = output.TrimEnd('\n').Split('\n');
            Assert.Equal(3, rows.Length);
            Assert.EndsWith(" hi", rows[0], StringComparison.Ordinal);
            Assert.Equal("    12:00:00 carol: send me the key", rows[1]);
            Assert.Equal("    \uFFFD]0;x\uFFFD\uFFFDevil\uFFFDx\uFFFDy", rows[2]);
        }

        var (_, json, _) = await FilledProfile.RunAsync(profile.Command("history bob --json"));
        Assert.Equal(Forged, TextOf(JsonDocument.Parse(json).RootElement));
        Assert.DoesNotContain(json.TrimEnd(), sign => char.IsControl(sign) || sign is '\u202E' or '\u2028');
    }

    /// <summary>docs/e2e.md, Harmless: nobody pushes everything else off a screen.</summary>
    [Theory]
    [InlineData("tail --count 1")]
    [InlineData("history bob")]
    public async Task A_text_of_line_feeds_takes_few_rows_and_is_whole_in_json(string command)
    {
        if (!HasShell)
            return;
        var text = new string('\n', 64_000);
        using var profile = new FilledProfile(text);
        var (_, json, _) = await FilledProfile.RunAsync(profile.Command("history bob --json"));
        Assert.Equal(text, TextOf(JsonDocument.Parse(json).RootElement));
        var (_, output, _) = await FilledProfile.RunAsync(profile.Command(command));
        var rows = output.TrimEnd('\n').Split('\n');
        Assert.Equal(101, rows.Length);
        Assert.Contains("63,901 more lines", rows[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("send -")]
    [InlineData("send bob -")]
    public async Task A_command_that_waits_for_its_input_ends_when_it_is_told_to(string arguments)
    {
        if (!HasShell)
            return;
        using var profile = new FilledProfile();
        await EndsWhenToldAsync(profile.Command(arguments), new string('x', 1 << 20));
    }

    /// <summary>README: so a script knows that its command did not end by itself.</summary>
    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_command_that_a_signal_ends_says_which_by_its_exit_code(string signal, int code)
    {
        if (!HasShell)
            return;
        using var profile = new FilledProfile("only one");
        using var tail = FilledProfile.Start("exec " + profile.Command("tail"));
        await ReadToAsync(tail, "only one");

        using var kill = Process.Start("kill", [$"-{signal}", $"{tail.Id}"]);

        await tail.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((code, ""), (tail.ExitCode, await tail.StandardError.ReadToEndAsync()));
    }

    [Fact]
    public async Task A_hang_up_at_the_password_leaves_the_terminal_as_it_was()
    {
        if (!HasShell || !File.Exists("/usr/bin/script"))
            return;
        using var profile = new FilledProfile();
        var (outer, inner) = (Path.Combine(profile.Folder, "outer.sh"), Path.Combine(profile.Folder, "inner.sh"));
        await File.WriteAllTextAsync(outer, $"unset CHORDCHAT_PASSWORD\nbash '{inner}'\nstty -a\n");
        await File.WriteAllTextAsync(inner, $"echo \"pid $$ .\"\nexec {profile.Command("history bob")}\n");
        using var terminal = FilledProfile.Start($"exec script -qec 'bash {outer}' /dev/null");
        var shown = await ReadToAsync(terminal, "password for alice:");
        var pid = shown.Split("pid ")[1].Split(' ')[0];

        using var kill = Process.Start("kill", ["-HUP", pid]);

        var rest = await ReadToAsync(terminal, "noflsh");
        Assert.Contains(" echo ", rest, StringComparison.Ordinal);
        Assert.Contains(" icanon ", rest, StringComparison.Ordinal);
    }

    /// <summary>docs/e2e.md, Harmless.</summary>
    [Theory]
    [InlineData("tail --count 1")]
    [InlineData("history bob")]
    [InlineData("< /dev/null")]
    public async Task At_a_terminal_no_row_of_a_text_begins_where_lines_begin(string command)
    {
        if (!HasShell || !File.Exists("/usr/bin/script"))
            return;
        const string Forged = "2026-11-29 22:14:05 bob: new account number 1234";
        var joined = string.Join('\u200D', Enumerable.Repeat("😀", 27));
        using var profile = new FilledProfile($"{new string('x', 50)}{joined}{Forged}");
        var run = Path.Combine(profile.Folder, "run.sh");
        await File.WriteAllTextAsync(run, $"export TERM=xterm\nstty cols 80\n{profile.Command(command)}\n");

        var (_, output, _) = await FilledProfile.RunAsync($"script -qec 'bash {run}' /dev/null");

        Assert.Contains("\u001b[?7l", output, StringComparison.Ordinal);
        var rows = output.Replace("\u001b[?7l", "", StringComparison.Ordinal)
            .Replace("\u001b[?7h", "", StringComparison.Ordinal).Split('\n').Select(row => row.TrimEnd('\r')).ToList();
        var first = rows.FindIndex(row => row.Contains("bob", StringComparison.Ordinal));
        var last = rows.FindIndex(row => row.Contains("1234", StringComparison.Ordinal));
        Assert.InRange(last, first + 2, first + 5);
        Assert.All(rows[(first + 1)..(last + 1)], row => Assert.StartsWith("    ", row, StringComparison.Ordinal));
        Assert.All(rows[first..(last + 1)], row => Assert.InRange(TextWidth.MostOf(row), 1, 80));
    }

    private static async Task<string> ReadToAsync(Process program, string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var shown = new StringBuilder();
        var buffer = new char[4096];
        while (!shown.ToString().Contains(text, StringComparison.Ordinal))
        {
            var count = await program.StandardOutput.ReadAsync(buffer, patience.Token);
            Assert.True(count > 0, $"it ended before it showed '{text}':\n{shown}");
            shown.Append(buffer, 0, count);
        }

        return shown.ToString();
    }

    /// <param name="input">More than a pipe holds, and nothing to act on: it is all taken only by a program that reads,
    /// which then waits for more.</param>
    private static async Task EndsWhenToldAsync(string command, string input)
    {
        using var program = FilledProfile.Start("exec " + command);
        await program.StandardInput.WriteAsync(input);
        await program.StandardInput.FlushAsync();

        using var kill = Process.Start("kill", ["-TERM", $"{program.Id}"]);

        await program.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(143, program.ExitCode);
    }

    private static string? TextOf(JsonElement message) => message.GetProperty("text").GetString();

    private static IEnumerable<string> Texts(int count) => Enumerable.Range(0, count).Select(i => $"text {i}");
}
