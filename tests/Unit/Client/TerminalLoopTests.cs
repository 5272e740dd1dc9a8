using System.Text;
using System.Threading.Channels;
using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>README.md: what waits for nodes when the console ends.</summary>
public sealed class TerminalLoopTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FilledProfile _filled = new();
    private readonly Profile _profile;
    private readonly UnlockedProfile _me;
    private readonly ChatClient _client;
    private readonly Channel<KeyStroke> _strokes = Channel.CreateUnbounded<KeyStroke>();
    private readonly Window _window = new();
    private readonly Channel<ClientEvent> _events = Channel.CreateUnbounded<ClientEvent>();
    private readonly ConsoleInputs<KeyStroke> _inputs;
    private readonly List<Task<Action>> _later = [];
    private readonly ConsoleChat _chat;
    private readonly TerminalLoop _loop;

    public TerminalLoopTests()
    {
        _profile = Profile.Open(_filled.Folder);
        _me = _profile.Unlock(FilledProfile.Password);
        _client = new(_me, new NodeSearch { Explicit = ["127.0.0.1:1"], AskNetwork = false });
        _inputs = new(_strokes.Reader, _events);
        var screen = new Screen(_window, () => (80, 24), colours: false);
        var view = new TerminalView(screen, () => []);
        _chat = new(_client, view, _later.Add, passwordAtHand: null);
        _loop = new(_chat, view, screen, _inputs);
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _me.Dispose();
        _profile.Dispose();
        _filled.Dispose();
        _window.Dispose();
    }

    /// <summary>Whether the hang-up is heard first, or a line that cannot be written.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_closed_window_leaves_nodes_the_time_to_answer(bool isTold)
    {
        _chat.OnLine("/msg carol hi");
        _window.IsGone = true;
        if (isTold)
            _loop.Leave();
        else
            _events.Writer.TryWrite(new ClientEvent.Notice("something happened"));
        var turn = new TaskCompletionSource();
        var isAnswered = false;
        _window.Refused += () => turn.TrySetResult();

        var running = _loop.RunAsync(CancellationToken.None);
        await turn.Task.WaitAsync(Patience);
        var answer = await Assert.Single(_later).WaitAsync(Patience);
        _inputs.Add(() =>
        {
            answer();
            isAnswered = true;
        });

        await running.WaitAsync(Patience);
        _loop.Close();
        Assert.True(isAnswered);
        Assert.Empty(_chat.Undone);
        Assert.Equal("output_failed", _loop.Failure!.Code);
    }

    [Fact]
    public async Task Nothing_is_waited_for_once_the_session_has_ended_for_good()
    {
        _chat.OnLine("/msg carol hi");
        _events.Writer.TryWrite(new ClientEvent.Ended(new ChordChatException("taken_over", "it ended", "log in")));
        _strokes.Writer.TryWrite(new KeyStroke(EditKey.EndOfInput));

        await _loop.RunAsync(CancellationToken.None).WaitAsync(Patience);

        Assert.Single(_chat.Undone);
        Assert.False(_chat.IsWaiting);
        Assert.Null(_loop.Failure);
    }

    private sealed class Window : TextWriter
    {
        public event Action? Refused;

        public override Encoding Encoding => Encoding.UTF8;

        public bool IsGone { get; set; }

        public override void Write(string? value)
        {
            if (!IsGone)
                return;
            Refused?.Invoke();
            throw new ChordChatException("output_failed", "the terminal is gone", "open another one");
        }
    }
}
