using ChordChat.Node.Hosting;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace ChordChat.Tests.Unit.Hosting;

public sealed class NodeSettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_command_line_wins_over_the_file_and_the_file_over_the_defaults()
    {
        File.WriteAllText(_folder["appsettings.json"], """
            { "listen": "127.0.0.1:1", "log": "json", "seed": ["a:1", "b:2"], "multicast": false }
            """);
        var (options, problems) = Read(new() { ["listen"] = "127.0.0.1:2" });
        Assert.Empty(problems);
        Assert.Equal("127.0.0.1:2", options.Listen.ToString());
        Assert.Equal(LogFormat.Json, options.Log);
        Assert.Equal(["a:1", "b:2"], options.Seeds.Select(s => s.ToString()));
        Assert.False(options.Multicast);
        Assert.Equal("239.255.67.67:7400", options.MulticastGroup.ToString());
    }

    [Fact]
    public void The_environment_wins_over_the_file()
    {
        File.WriteAllText(_folder["appsettings.json"], """{ "health-port": "1", "health-host": "127.0.0.9" }""");
        Environment.SetEnvironmentVariable("CHORDCHAT_HEALTH_PORT", "2");
        try
        {
            Assert.Equal("127.0.0.9:2", Read([]).Options.Health.ToString());
        }
        finally
        {
            Environment.SetEnvironmentVariable("CHORDCHAT_HEALTH_PORT", null);
        }
    }

    [Fact]
    public void All_problems_are_said_at_once()
    {
        var (_, problems) = Read(new()
        {
            ["listen"] = "nowhere",
            ["seed"] = "a:1,b",
            ["multicast-group"] = "10.0.0.1:7400",
            ["log"] = "3",
            ["multicast"] = "perhaps",
            ["lisen"] = "x",
        });
        Assert.Equal(
            ["lisen", "listen", "log", "multicast", "multicast-group", "seed"],
            problems.Select(p => p.Split(' ')[0].Trim('\'')).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_address_to_tell_may_leave_out_the_port() =>
        Assert.Equal(new HostPort("n1", 0), Read(new() { ["advertise"] = "n1" }).Options.Advertise);

    private (NodeOptions Options, List<string> Problems) Read(Dictionary<string, string?> commandLine)
    {
        var problems = new List<string>();
        IConfiguration settings = NodeSettings.Layer(_folder.Path, commandLine);
        return (NodeSettings.Read(_folder.Path, settings, problems), problems);
    }
}
