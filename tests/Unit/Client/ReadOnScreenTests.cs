using System.Text;
using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/e2e.md, Shown once: a message is read once it is on the screen, and not before.</summary>
public sealed class ReadOnScreenTests : IAsyncDisposable
{
    private readonly FilledProfile _filled = new(Enumerable.Range(0, 1_010).Select(i => $"text {i}."));
    private readonly Profile _profile;
    private readonly UnlockedProfile _me;
    private readonly ChatClient _client;
    private readonly Output _output;
    private readonly Screen _screen;
    private readonly ConsoleChat _chat;

    public ReadOnScreenTests()
    {
        _profile = Profile.Open(_filled.Folder);
        _me = _profile.Unlock(FilledProfile.Password);
        _client = new(_me, new NodeSearch { Explicit = ["127.0.0.1:1"], AskNetwork = false });
        _output = new(() => _client.History.UnreadCount("bob"));
        _screen = new(_output, () => (80, 24), colours: false);
        _chat = new(_client, new TerminalView(_screen, () => []), _ => { }, passwordAtHand: null);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _me.Dispose();
        _profile.Dispose();
        _filled.Dispose();
        _output.Dispose();
    }

    [Fact]
    public void What_a_turn_shows_is_read_when_the_turn_is_written()
    {
        _screen.Batch(() => _chat.OnLine("/chat bob"));
        Assert.Equal([1_010], _output.Unread);
        Assert.Equal(10, _client.History.UnreadCount("bob"));
        Assert.Contains("10 more unread messages from bob", _output.Written, StringComparison.Ordinal);

        _screen.Batch(() => _chat.OnLine("/chat bob"));
        _output.Unread.Clear();
        FilledProfile.Arrive(_me, 1_010, "the next one.");
        _screen.Batch(() => _chat.On(new ClientEvent.Arrived(_client.History.UnreadOf("bob", 1)[0])));
        Assert.Equal([1], _output.Unread);
        Assert.Equal(0, _client.History.UnreadCount("bob"));
    }

    [Fact]
    public void Without_a_turn_a_message_is_read_when_its_line_is_written()
    {
        _chat.OnLine("/chat bob");
        Assert.Equal(10, _client.History.UnreadCount("bob"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_cannot_be_written_is_not_read(bool atTheEnd)
    {
        _output.Fails = !atTheEnd;
        _output.FailsToFlush = atTheEnd;
        Assert.Throws<ChordChatException>(() => _screen.Batch(() => _chat.OnLine("/chat bob")));
        Assert.Throws<ChordChatException>(_screen.Close);
        Assert.Equal(1_010, _client.History.UnreadCount("bob"));
    }

    /// <summary>What is on its way to the screen is not unread any more for whoever is there.</summary>
    [Fact]
    public void In_one_turn_each_message_is_shown_once_and_none_is_announced_that_was_shown()
    {
        _screen.Batch(() =>
        {
            _chat.OnLine("/chat bob");
            _chat.OnLine("/chat bob"); // The next page.
            _chat.On(new ClientEvent.CircleHeard());
        });
        Assert.Equal(0, _client.History.UnreadCount("bob"));
        Assert.Equal(1, _output.Written.Split("more unread messages from bob").Length - 1);
        for (var i = 0; i < 1_010; i++)
            Assert.Equal(1, _output.Written.Split($"text {i}.").Length - 1);
    }

    [Fact]
    public void What_was_shown_is_read_also_when_the_chat_ends_in_the_same_turn()
    {
        _screen.Batch(() =>
        {
            _chat.OnLine("/chat bob");
            _chat.OnLine("/quit");
        });
        Assert.Equal(10, _client.History.UnreadCount("bob"));
    }

    [Fact]
    public void What_a_turn_that_failed_had_printed_is_read_when_the_end_writes_it()
    {
        Assert.Throws<InvalidOperationException>(() => _screen.Batch(() =>
        {
            _chat.OnLine("/chat bob");
            throw new InvalidOperationException();
        }));
        Assert.Equal(1_010, _client.History.UnreadCount("bob"));
        _screen.Close();
        Assert.Contains("text 999.", _output.Written, StringComparison.Ordinal);
        Assert.Equal(10, _client.History.UnreadCount("bob"));
    }

    /// <param name="unread">Asked whenever something has been written.</param>
    private sealed class Output(Func<int> unread) : TextWriter
    {
        private readonly StringBuilder _written = new();

        public override Encoding Encoding => Encoding.UTF8;

        public string Written => _written.ToString();

        public List<int> Unread { get; } = [];

        public bool Fails { get; set; }

        public bool FailsToFlush { get; set; }

        public override void Write(string? value) => _written.Append(Fails ? throw Failure : value);

        public override void Flush() => Unread.Add(FailsToFlush ? throw Failure : unread());

        private static ChordChatException Failure => new("output_failed", "the terminal is gone", "open another one");
    }
}
