using System.Diagnostics;
using ChordChat.Sdk.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/operations.md, Who may register: the code need not stand on a command line.</summary>
public sealed class InvitedScriptTests : Scripts
{
    private const string Code = "00112233445566778899aabbccddeeff00112233";

    private string CodeFile => Path.Combine(Home, "code");

    [Fact]
    public async Task A_code_comes_from_the_command_line_from_a_variable_or_from_a_file()
    {
        Cluster.Invitation = Code;
        await OkAsync("carol", "register", "carol", "--invitation", Code);
        Variables["CHORDCHAT_INVITATION"] = Code;
        await OkAsync("dora", "register", "dora");
        Variables["CHORDCHAT_INVITATION"] = "of another cluster";
        await File.WriteAllTextAsync(CodeFile, $" {Code} \r\nmore\n");
        await OkAsync("emil", "register", "emil", "--invitation-file", CodeFile);
        await FailsAsync("invitation_wrong", "frida", ["register", "frida"]);
    }

    [Fact]
    public async Task Without_a_code_a_script_learns_both_ways_to_give_one()
    {
        Cluster.Invitation = Code;
        var run = await RunAsync("carol", ["register", "carol"], json: false);
        Assert.Equal(1, run.Code);
        Assert.Contains("registering here needs an invitation", run.Error, StringComparison.Ordinal);
        Assert.Contains(
            "set CHORDCHAT_INVITATION or use --invitation-file FILE", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_a_code_is_refused_before_anything_is_sent()
    {
        await FailsAsync("no_invitation", "carol", ["register", "carol", "--invitation-file", CodeFile]);
        foreach (var bytes in (byte[][])[[], [(byte)'\n', (byte)'x'], [0xFF, 0xFE]])
        {
            await File.WriteAllBytesAsync(CodeFile, bytes);
            await FailsAsync("no_invitation", "carol", ["register", "carol", "--invitation-file", CodeFile]);
        }

        Assert.DoesNotContain("carol", Cluster.SecretCalls);
    }

    /// <summary>Also if the password comes from elsewhere.</summary>
    [Fact]
    public async Task At_a_terminal_register_asks_for_the_code_that_the_node_wants()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/script"))
            return;
        Cluster.Invitation = Code;
        var command =
            $"dotnet '{Program}' --profile '{Path.Combine(Home, "carol")}' --node {Node.Address} register carol";
        var start = new ProcessStartInfo("/usr/bin/script", ["-qec", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment =
            {
                ["CHORDCHAT_PASSWORD"] = Person.Password,
                ["CHORDCHAT_TRUST"] = ClusterTrust.FingerprintOf(Cluster.Authority.RawData),
            },
        };
        using var terminal = Process.Start(start)!;
        await terminal.StandardInput.WriteLineAsync(Code); // The terminal holds it until it is asked for.
        await terminal.StandardInput.FlushAsync();
        var shown = await terminal.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(2));
        await terminal.WaitForExitAsync();
        Assert.Contains("invitation code:", shown, StringComparison.Ordinal);
        Assert.Contains("carol is registered", shown, StringComparison.Ordinal);
        Assert.Equal(0, terminal.ExitCode);
    }

    /// <summary>Its help says so.</summary>
    [Fact]
    public async Task Help_says_who_else_can_see_a_code_on_the_command_line()
    {
        var run = await RunAsync("carol", ["register", "--help"], json: false);
        var help = string.Join(' ', run.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("Others on this machine can see it", help, StringComparison.Ordinal);
        Assert.Contains("CHORDCHAT_INVITATION", help, StringComparison.Ordinal);
        Assert.Contains("--invitation-file", help, StringComparison.Ordinal);
    }
}
