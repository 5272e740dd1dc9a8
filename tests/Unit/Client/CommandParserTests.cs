using ChordChat.Client.Commands;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

public sealed class CommandParserTests
{
    public static TheoryData<string, object> Lines => new()
    {
        { "hello /there", new ConsoleCommand.Say("hello /there") },
        { "//shrug", new ConsoleCommand.Say("/shrug") },
        { "   ", new ConsoleCommand.Nothing() },
        { "/msg carol  hi there", new ConsoleCommand.Message("carol", "hi there") },
        { "/CHAT carol", new ConsoleCommand.OpenChat("carol") },
        { "/history", new ConsoleCommand.History(20) },
        { "/history 5", new ConsoleCommand.History(5) },
        { "/status", new ConsoleCommand.Status("bob") },
        { "/status carol", new ConsoleCommand.Status("carol") },
        { "/verify", new ConsoleCommand.Verify("bob", false) },
        { "/verify ok", new ConsoleCommand.Verify("bob", true) },
        { "/verify carol ok", new ConsoleCommand.Verify("carol", true) },
        { "/verify carol no", new ConsoleCommand.Misunderstood("usage: /verify <user> [ok]") },
        { "/where carol", new ConsoleCommand.Where("carol") },
        { "/who", new ConsoleCommand.Who() },
        { "/requests", new ConsoleCommand.Requests() },
        { "/requests off", new ConsoleCommand.Requests(false) },
        { "/requests carol", new ConsoleCommand.Misunderstood("usage: /requests [on|off]") },
        { "/accept carol", new ConsoleCommand.Accept("carol") },
        { "/logout", new ConsoleCommand.LogOut() },
        { "/quit", new ConsoleCommand.Quit() },
        { "/msg carol", new ConsoleCommand.Misunderstood("usage: /msg <user> <text>") },
        { "/chat", new ConsoleCommand.OpenChat("") },
        { "/history many", new ConsoleCommand.Misunderstood("usage: /history [n]") },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void Each_line_is_one_command(string line, object expected) =>
        Assert.Equal(expected, CommandParser.Parse(line, openChat: "bob"));

    [Fact]
    public void An_unknown_command_is_not_sent_to_anybody() =>
        Assert.IsType<ConsoleCommand.Misunderstood>(CommandParser.Parse("/mgs carol secret", "bob"));

    /// <summary>README.md, in the console: several pasted lines.</summary>
    [Theory]
    [InlineData("/msg carol a secret\nand more", "/msg")]
    [InlineData("/who\n/quit", "/who")]
    [InlineData(" \n/QUIT\n/who", "/quit")]
    [InlineData("/q\nx", "/q")]
    public void Pasted_lines_that_begin_with_a_command_are_neither_sent_nor_done(string lines, string name)
    {
        var problem = Assert.IsType<ConsoleCommand.Misunderstood>(CommandParser.ParsePasted(lines)).Problem;
        Assert.StartsWith("nothing was sent", problem, StringComparison.Ordinal);
        Assert.Contains($"the command {name}.", problem, StringComparison.Ordinal);
        Assert.Equal(new ConsoleCommand.Say(lines.Trim()), CommandParser.Parse("/" + lines.Trim(), "bob"));
    }

    [Theory]
    [InlineData("hello\n/quit")]
    [InlineData("/usr/bin/env\n/quit")]
    [InlineData("//msg carol\nhi")]
    [InlineData("/\n/")]
    [InlineData(" \n ")]
    public void Other_pasted_lines_are_sent_as_they_are(string lines) =>
        Assert.Equal(new ConsoleCommand.Say(lines), CommandParser.ParsePasted(lines));

    [Theory]
    [InlineData("/h", new[] { "/help", "/history" })]
    [InlineData("/msg c", new[] { "carol", "chris" })]
    [InlineData("/msg carol b", new string[0])]
    [InlineData("hello b", new string[0])]
    [InlineData("/who c", new string[0])]
    public void Tab_offers_commands_first_and_then_people(string before, string[] offered) =>
        Assert.Equal(offered, Completer.Complete(before, ["bob", "carol", "chris", "carol"]));
}
