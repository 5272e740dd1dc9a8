using ChordChat.Client.Scripting;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>The shapes that scripts lean on, letter by letter.</summary>
public sealed class JsonLinesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 21, 13, 0, 0, 250, TimeSpan.FromHours(1));

    private static readonly ChatMessage Message = new(
        "00112233445566778899aabbccddeeff", "alice", "bob", "grüß \"dich\"\n", Noon, MessageState.Kept,
        ["n1", "n3"], 3, 0, "");

    [Theory]
    [InlineData(null, """["n1","n3"]""")]
    [InlineData("n3", """["n3"]""")]
    public void Sent(string? reachable, string shown) => Assert.Equal(
        """{"id":"00112233445566778899aabbccddeeff","to":"bob","state":"kept","copies":["n1","n3"],"of":3,"""
            + $"\"reachable\":{shown}}}",
        JsonLines.Sent(Message with { Reachable = reachable?.Split(' ') }));

    /// <summary>What arrived while no majority had it is not called kept: not even by <c>send --wait kept</c>.
    /// </summary>
    [Theory]
    [InlineData(MessageState.Delivered, "n1 n3", MessageState.Kept, "kept 2/3 at n1, n3")]
    [InlineData(MessageState.Delivered, "n3", MessageState.Delivered, "delivered, on disk 1/3 at n3")]
    public void Kept_names_a_majority_or_is_not_said(MessageState state, string copies, MessageState said, string line)
    {
        var message = SendCommand.AsAsked(
            Message with { State = state, Copies = copies.Split(' ', StringSplitOptions.RemoveEmptyEntries) },
            MessageState.Kept);
        Assert.Equal(said, message.State);
        Assert.Equal(line, SendCommand.Line(message));
    }

    [Fact]
    public void Copies_that_do_not_answer_are_told_apart() => Assert.Equal(
        "kept 2/3 at n1, n3; now 1 of 3 answer: n3", SendCommand.Line(Message with { Reachable = ["n3"] }));

    [Fact]
    public void Missing_before_it() => Assert.EndsWith(
        "\"state\":\"kept\",\"missing\":2}", JsonLines.Message(Message with { MissingBefore = 2 }));

    [Fact]
    public void Late() => Assert.EndsWith(
        "\"missing\":2,\"late\":true,\"again\":true}",
        JsonLines.Message(Message with { MissingBefore = 2, IsLate = true }, again: true));

    [Fact]
    public void With_a_remark() => Assert.EndsWith(
        "\"state\":\"kept\",\"note\":\"written by a copy\"}",
        JsonLines.Message(Message with { Note = "written by a copy" }));

    [Fact]
    public void Received() => Assert.Equal(
        """{"id":"00112233445566778899aabbccddeeff","from":"alice","to":"bob","text":"grüß """
            + """\"dich\"\n","sent":"2026-11-21T12:00:00.250Z","state":"kept"}""",
        JsonLines.Message(Message));

    /// <summary>docs/e2e.md, One order for both.</summary>
    [Theory]
    [InlineData(1000, "}")]
    [InlineData(1001, ",\"typed\":\"2026-11-21T11:59:59.249Z\"}")]
    public void Written_and_then_sealed_much_later(int waitedMs, string end) => Assert.EndsWith(
        "\"state\":\"kept\"" + end, JsonLines.Message(Message with { Typed = Noon.AddMilliseconds(-waitedMs) }));

    [Fact]
    public void Status()
    {
        Assert.Equal(
            """{"user":"bob","online":true,"since":"2026-11-21T12:00:00.250Z"}""",
            JsonLines.Status(new Presence("bob", true, Noon, "n1")));
        Assert.Equal(
            """{"user":"bob","online":false,"since":null}""",
            JsonLines.Status(new Presence("bob", false, null, "")));
    }

    [Fact]
    public void Where() => Assert.Equal(
        """{"user":"bob","tile":"5a/7","epoch":2,"members":["n2","n1","n4"],"answering":["n1","n4"]}""",
        JsonLines.Where(new MailboxMembers("bob", "5a/7", 2, ["n2", "n1", "n4"], ["n1", "n4"])));

    [Fact]
    public void Error() => Assert.Equal(
        """{"error":{"code":"taken_name","message":"this name is taken","hint":"choose another one"}}""",
        JsonLines.Error(new ChordChatException("taken_name", "this name is taken", "choose another one")));
}
