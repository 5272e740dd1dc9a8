using ChordChat.Client.Conversation;
using ChordChat.Client.Terminal;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

public sealed class TerminalViewTests : IDisposable
{
    private readonly FakeTerminal _terminal = new(60, 10);
    private readonly TerminalView _view;
    private readonly List<string> _answers = [];

    public TerminalViewTests() =>
        _view = new TerminalView(new Screen(_terminal, () => _terminal.Size, colours: false), () => []);

    public void Dispose() => _terminal.Dispose();

    /// <summary>docs/e2e.md, Order: a copied profile asks for the password while somebody may be typing.</summary>
    [Fact]
    public void A_password_is_asked_for_without_showing_or_remembering_it_and_the_line_that_was_begun_stays()
    {
        Type(new KeyStroke(EditKey.Text, "hello bo"));
        Assert.True(_view.AskSecret("password: ", _answers.Add));
        Type(new KeyStroke(EditKey.Text, "seven boats"));
        Assert.DoesNotContain(_terminal.Rows, row => row.Contains("boats") || row.Contains("hello"));
        Type(new KeyStroke(EditKey.Enter));
        Assert.Equal(["seven boats"], _answers);

        Assert.Contains(_terminal.Rows, row => row.Contains("hello bo"));
        Assert.Equal("hello bob", Type(new KeyStroke(EditKey.Text, "b"), new KeyStroke(EditKey.Enter))!.Line);
        Type(new KeyStroke(EditKey.Up));
        Type(new KeyStroke(EditKey.Up));
        Assert.DoesNotContain(_terminal.Rows, row => row.Contains("boats"));
    }

    [Fact]
    public void Who_does_not_want_to_say_it_leaves_the_question_and_not_the_chat()
    {
        _view.AskSecret("password: ", _answers.Add);
        _view.Type(new KeyStroke(EditKey.Interrupt), out var closed);
        Assert.False(closed);
        Assert.Equal([""], _answers);
    }

    private EditResult.Submitted? Type(params KeyStroke[] strokes)
    {
        EditResult.Submitted? submitted = null;
        foreach (var stroke in strokes)
            submitted = _view.Type(stroke, out _);
        return submitted;
    }
}
