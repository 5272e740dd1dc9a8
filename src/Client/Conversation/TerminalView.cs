using ChordChat.Client.Commands;
using ChordChat.Client.Terminal;

namespace ChordChat.Client.Conversation;

/// <summary>A screen with the line editor under it.</summary>
internal sealed class TerminalView(Screen screen, Func<IEnumerable<string>> names) : IConsoleView
{
    private readonly LineEditor _editor = new(before => Completer.Complete(before, names()));
    private StyledLine _prompt = StyledLine.Of("> ");
    private Question? _question;

    /// <param name="Typed">Apart from the line that is being typed, which stays as it is, and from its history.</param>
    private sealed record Question(StyledLine Prompt, Action<string> Answer, LineEditor Typed);

    public bool IsTypedAt => true;

    public int Print(StyledLine line, Mark? mark = null) => screen.Print(line, mark);

    public void WhenShown(Action then) => screen.WhenShown(then);

    public bool Rewrite(int handle, string text, Style style) => screen.Rewrite(handle, text, style);

    public void SetPrompt(StyledLine prompt)
    {
        _prompt = prompt;
        Redraw();
    }

    public bool AskSecret(string prompt, Action<string> answer)
    {
        _question = new Question(StyledLine.Of(prompt, Style.Warning), answer, new LineEditor(_ => []));
        Redraw();
        return true;
    }

    public void StopAsking()
    {
        _question = null;
        Redraw();
    }

    public void Redraw()
    {
        if (_question is { } question)
            screen.SetInput(question.Prompt, "", 0);
        else
            screen.SetInput(_prompt, _editor.Text, _editor.Cursor);
    }

    /// <returns>The line that this key finished, or null; <paramref name="closed"/> when the user wants to
    /// leave.</returns>
    public EditResult.Submitted? Type(KeyStroke stroke, out bool closed)
    {
        if (_question is { } question)
        {
            closed = false;
            Answer(question, stroke);
            return null;
        }

        var result = _editor.Handle(stroke);
        closed = result is EditResult.Closed;
        if (result is EditResult.Candidates candidates)
            screen.Print(StyledLine.Of(string.Join("  ", candidates.Words), Style.Dim));
        if (result is EditResult.TooLong(var max))
            screen.Print(Transcript.Note(
                $"more than {max:N0} characters do not fit here; send a file with chordchat send USER - < FILE",
                Style.Warning));
        if (result is EditResult.ClearScreen)
            screen.Clear();
        Redraw();
        return result as EditResult.Submitted;
    }

    private void Answer(Question question, KeyStroke stroke)
    {
        var said = question.Typed.Handle(stroke) switch
        {
            EditResult.Submitted(var line, _) => line,
            EditResult.Closed => "",
            _ => null,
        };
        if (said is null)
            return;
        _question = null;
        Redraw();
        question.Answer(said);
    }
}
