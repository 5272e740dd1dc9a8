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

    [Fact]
    public void Sent() => Assert.Equal(
        """{"id":"00112233445566778899aabbccddeeff","to":"bob","state":"kept","copies":["n1","n3"],"of":3}""",
        JsonLines.Sent(Message));

    [Fact]
    public void Received() => Assert.Equal(
        """{"id":"00112233445566778899aabbccddeeff","from":"alice","to":"bob","text":"grüß """
            + """\"dich\"\n","sent":"2026-11-21T12:00:00.250Z","state":"kept"}""",
        JsonLines.Message(Message));

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
        """{"user":"bob","tile":"5a/7","epoch":2,"members":["n2","n1","n4"]}""",
        JsonLines.Where(new MailboxMembers("bob", "5a/7", 2, ["n2", "n1", "n4"])));

    [Fact]
    public void Error() => Assert.Equal(
        """{"error":{"code":"taken_name","message":"this name is taken","hint":"choose another one"}}""",
        JsonLines.Error(new ChordChatException("taken_name", "this name is taken", "choose another one")));
}
