using System.Text.RegularExpressions;
using ChordChat.Node.Base;
using ChordChat.Node.Operations;
using ChordChat.Tests.Unit.Base;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace ChordChat.Tests.Unit.Operations;

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

    /// <summary>A misspelt rule of registration would leave it open without a word.</summary>
    [Theory]
    [InlineData("Chat:Registratoin", "Closed", "'Chat:Registratoin' is no setting; Chat has BcryptCost,")]
    [InlineData("Chta:Registration", "Closed", "'Chta' is no section")]
    [InlineData("Chat:Registration", "Clsed", "Chat:Registration is 'Clsed'; it must be one of Open, Invitation,")]
    [InlineData("Chat:Registration", "7", "Chat:Registration is '7'")]
    [InlineData("Chat:LoginQueueMax", "0", "Chat: LoginQueueMax is 0; nobody could log in.")]
    [InlineData("Chat:CircleChangesMax", "-1", "Chat:CircleChangesMax is '-1'; it must be a whole number, 0 or more.")]
    [InlineData("View:ReadingMax", "soon", "View:ReadingMax is 'soon'; it must be a time such as 00:00:05")]
    [InlineData("Ages:LateMax", "-1.00:00:00", "Ages:LateMax is '-1.00:00:00'; it must be a time")]
    [InlineData("Ages:LateMax", "10.23:30:00", "Ages: LateMax is 10.23:30:00; with MendMax and 3 days for")]
    [InlineData("Ages:LateMax", "13.23:30:00", "Ages: LateMax is 13.23:30:00; with MendMax and 3 days for")]
    [InlineData("Ages:MessageAge", "00:00:00.001", "Ages: MessageAge is 00:00:00.0010000; it must be from 1 hour")]
    [InlineData("Ages:TombstoneAge", "3652059.00:00:00", "Ages: TombstoneAge is 3652059.00:00:00; it must be")]
    [InlineData("Ages:PerRank", "31.00:00:00", "Ages: PerRank is 31.00:00:00; it must be from 0 to 30 days.")]
    [InlineData("Ages:MendMax", "00:00:00", "Ages: MendMax is 00:00:00; it must be from 1 minute to 1 day.")]
    [InlineData("Steward:SplitBytes", "1024", "Steward: SplitBytes is 1024; it must be 0 (never) or at least")]
    [InlineData("Steward:SplitPerNode", "1025", "Steward: SplitPerNode is 1025; it must be from 0 (never) to 1024.")]
    [InlineData("Ring:SuccessorCount", "1", "Ring: SuccessorCount is 1;")]
    [InlineData("Membership:SilentDeadAfter", "00:00:01", "Membership: SilentDeadAfter is 00:00:01;")]
    public void A_wrong_setting_of_a_section_is_a_problem(string name, string value, string problem)
    {
        var (_, problems) = Read(new() { [name] = value });
        Assert.StartsWith(problem, Assert.Single(problems), StringComparison.Ordinal);
    }

    /// <summary>A section that is read and not known here would be refused.</summary>
    [Fact]
    public void Every_section_that_is_read_is_known()
    {
        var read = Repository.Sources("src/Node").SelectMany(Repository.Lines)
            .SelectMany(line => Regex.Matches(line, @"GetSection\(""([A-Z]\w*)""\)"))
            .Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(read, SettingSections.Names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Settings_of_sections_are_taken_in_any_case()
    {
        File.WriteAllText(_folder["appsettings.json"], """
            {
              "chat": { "registration": "closed", "TicketLifetime": "00:05:00" },
              "Ages": { "MessageAge": "60.00:00:00" },
              "Membership": { "SilentDeadAfter": "00:01:00" }, "Steward": { "SplitPerNode": 4 }
            }
            """);
        Assert.Empty(Read([]).Problems);
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
            ["Chat:Presence"] = "Nobody",
            ["Chat:BcryptCots"] = "12",
        });
        Assert.Equal(
            [
                "Chat:BcryptCots", "Chat:Presence", "lisen", "listen", "log", "multicast", "multicast-group", "seed",
            ],
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
