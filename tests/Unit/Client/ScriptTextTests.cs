using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>What the commands for scripts say to a person while there is no node.</summary>
public sealed class ScriptTextTests
{
    /// <summary>docs/e2e.md, Receiving: Requests.</summary>
    [Fact]
    public async Task A_machine_that_has_no_requests_does_not_say_that_nobody_waits()
    {
        using var profile = new FilledProfile("hello");
        var (code, output, error) = await FilledProfile.RunAsync(profile.Command("requests"));
        Assert.Equal((0, ""), (code, output));
        Assert.StartsWith(
            "chordchat: nobody is waiting to be accepted, as far as this machine knows; ", error,
            StringComparison.Ordinal);
    }

    /// <summary>docs/e2e.md, First contact.</summary>
    [Fact]
    public async Task A_message_that_no_node_took_is_neither_sent_nor_kept_and_says_so()
    {
        using var profile = new FilledProfile("hello");
        var (code, _, error) = await FilledProfile.RunAsync(profile.Command("send bob hi"));
        Assert.Equal(1, code);
        Assert.StartsWith(
            "chordchat: the message to bob was not sent and is not kept on this machine: no node answers at "
            + "127.0.0.1:1; ", error, StringComparison.Ordinal);
        var (_, history, _) = await FilledProfile.RunAsync(profile.Command("history bob"));
        Assert.Contains("hello", Assert.Single(Lines(history)), StringComparison.Ordinal);
    }

    /// <summary>docs/e2e.md, Order.</summary>
    [Fact]
    public async Task The_remark_at_a_message_is_shown_wherever_the_message_is()
    {
        using var filled = new FilledProfile("hello");
        using (var profile = Profile.Open(filled.Folder))
            profile.Store.Write(db => db.Execute("UPDATE messages SET note = 'written by a copy'"));
        foreach (var command in (string[])["history bob", "tail --count 1"])
        {
            var (_, output, _) = await FilledProfile.RunAsync(filled.Command(command));
            Assert.EndsWith("hello (written by a copy)", Assert.Single(Lines(output)), StringComparison.Ordinal);
        }
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
