using System.Text;
using ChordChat.Node.Chat;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Commands;

public sealed class InviteUserCommandTests
{
    [Theory]
    [InlineData("7d", 7 * 24 * 60)]
    [InlineData("12h", 12 * 60)]
    [InlineData("30m", 30)]
    [InlineData("366d", 366 * 24 * 60)]
    [InlineData("367d", null)]
    [InlineData("0d", null)]
    [InlineData("-1d", null)]
    [InlineData("7", null)]
    [InlineData("d", null)]
    [InlineData("7w", null)]
    [InlineData("", null)]
    [InlineData("99999999999d", null)]
    public void A_length_of_time_is_a_number_and_a_letter(string text, int? minutes) =>
        Assert.Equal(minutes is { } some ? TimeSpan.FromMinutes(some) : (TimeSpan?)null,
            InviteUserCommand.ParseLife(text));

    /// <summary>docs/operations.md, "Who may register": a command line is no place for a secret.</summary>
    [Fact]
    public void No_text_asks_for_a_code_on_a_command_line() => Assert.All(
        Repository.Sources("src/Node").Append("docs/operations.md").Append("README.md"),
        file => Assert.DoesNotContain("--invitation CODE", string.Join('\n', Repository.Lines(file)),
            StringComparison.Ordinal));

    /// <summary>The same; a hint is ASCII, as trailers are.</summary>
    [Fact]
    public void Whoever_needs_a_code_is_told_how_to_give_it()
    {
        var hint = ChatFaults.For(new RegisterOutcome.NotInvited(InvitationFault.Needed))
            .Trailers.GetValue(CallFaults.HintTrailer)!;
        Assert.All((string[])[hint, InviteUserCommand.HowToGiveIt], text =>
        {
            Assert.Contains("chordchat register NAME", text, StringComparison.Ordinal);
            Assert.Contains("CHORDCHAT_INVITATION or --invitation-file FILE", text, StringComparison.Ordinal);
            Assert.True(Ascii.IsValid(text));
        });
    }

    [Fact]
    public void Nodes_of_the_cluster_know_the_codes_that_its_folder_makes()
    {
        using var folder = new TemporaryFolder();
        var cluster = new ClusterFolder(folder.Path);
        cluster.Create(new(["n1"], 0, SessionPolicy.Takeover, Demo: true), DateTimeOffset.UtcNow);
        var expires = DateTimeOffset.FromUnixTimeSeconds(1_900_000_000);

        var codes = InviteUserCommand.Make(cluster, 3, expires).ToList();

        var key = ChatIdentity.TicketKeyOf(NodeIdentity.Read(cluster.NodeFolder("n1")).Secret);
        Assert.Equal(3, codes.Select(code => code.Id).Distinct().Count());
        foreach (var code in codes)
        {
            Assert.Matches("^([0-9a-f]{8}-){4}[0-9a-f]{8}$", code.ToString());
            Assert.Equal(expires, InvitationCode.TryParse(code.ToString(), key)!.Expires);
        }
    }
}
