using System.Globalization;

namespace ChordChat.Client.Terminal;

/// <summary>What a key did, for the one who draws.</summary>
internal abstract record EditResult
{
    private EditResult() { }

    public sealed record Changed : EditResult;

    /// <param name="IsText">Its first characters were pasted, and it has several rows: never a command.</param>
    public sealed record Submitted(string Line, bool IsText) : EditResult;

    /// <summary>Nothing was inserted: with it the line would be too long.</summary>
    public sealed record TooLong(int LengthMax) : EditResult;

    /// <summary>Tab found several ways to go on.</summary>
    public sealed record Candidates(IReadOnlyList<string> Words) : EditResult;

    public sealed record ClearScreen : EditResult;

    /// <summary>Ctrl-C or Ctrl-D on an empty line.</summary>
    public sealed record Closed : EditResult;
}

/// <summary>The line being typed: pure text, cursor and history; it neither reads nor draws.</summary>
/// <param name="complete">Given the text before the cursor, the words that could replace its last word.</param>
internal sealed class LineEditor(Func<string, IReadOnlyList<string>> complete)
{
    private const int HistoryMax = 500;
    private const int LengthMax = 1_000_000;

    private readonly List<(string Line, bool BeginsPasted)> _history = [];
    private int _shown; // Index into the history; its length while a new line is being typed.
    private (string Line, bool BeginsPasted) _draft = ("", false);
    private bool _beginsPasted;

    public string Text { get; private set; } = "";

    /// <summary>Where the next character goes: an index into <see cref="Text"/>, always between text
    /// elements.</summary>
    public int Cursor { get; private set; }

    public EditResult Handle(KeyStroke stroke)
    {
        switch (stroke.Key)
        {
            case EditKey.Text or EditKey.Paste when Text.Length + stroke.Text.Length > LengthMax:
                return new EditResult.TooLong(LengthMax);
            case EditKey.Text or EditKey.Paste:
                if (Cursor == 0)
                    _beginsPasted = stroke.Key == EditKey.Paste;
                Insert(stroke.Text);
                break;
            case EditKey.Enter: return Submit();
            case EditKey.Tab: return Complete();
            case EditKey.Backspace: Remove(Before(Cursor), Cursor); break;
            case EditKey.Delete: Remove(Cursor, After(Cursor)); break;
            case EditKey.Left: Cursor = Before(Cursor); break;
            case EditKey.Right: Cursor = After(Cursor); break;
            case EditKey.WordLeft: Cursor = WordBefore(Cursor); break;
            case EditKey.WordRight: Cursor = WordAfter(Cursor); break;
            case EditKey.Home: Cursor = 0; break;
            case EditKey.End: Cursor = Text.Length; break;
            case EditKey.Up: Show(_shown - 1); break;
            case EditKey.Down: Show(_shown + 1); break;
            case EditKey.KillToEnd: Remove(Cursor, Text.Length); break;
            case EditKey.KillToStart: Remove(0, Cursor); break;
            case EditKey.KillWord: Remove(WordBefore(Cursor), Cursor); break;
            case EditKey.ClearScreen: return new EditResult.ClearScreen();
            case EditKey.Interrupt when Text.Length > 0: Set("", 0); break;
            case EditKey.EndOfInput when Text.Length > 0: Remove(Cursor, After(Cursor)); break;
            case EditKey.Interrupt or EditKey.EndOfInput: return new EditResult.Closed();
            default: break;
        }

        return new EditResult.Changed();
    }

    private void Set(string text, int cursor)
    {
        Text = text;
        Cursor = cursor;
    }

    private void Insert(string text)
    {
        var end = Cursor + text.Length;
        Set(Text.Insert(Cursor, text), end);
        // A combining mark joins what stands before or after it: never stop inside a text element.
        if (end < Text.Length && Boundaries().All(boundary => boundary != end))
            Cursor = Boundaries().First(boundary => boundary > end);
    }

    private void Remove(int from, int to) => Set(Text.Remove(from, to - from), from);

    private EditResult.Submitted Submit()
    {
        var line = Text;
        if (line.Trim().Length > 0 && (_history.Count == 0 || _history[^1] != (line, _beginsPasted)))
            _history.Add((line, _beginsPasted));
        if (_history.Count > HistoryMax)
            _history.RemoveAt(0);
        _shown = _history.Count;
        _draft = ("", false);
        Set("", 0);
        return new EditResult.Submitted(line, _beginsPasted && line.Contains('\n'));
    }

    private void Show(int index)
    {
        if (index < 0 || index > _history.Count)
            return;
        if (_shown == _history.Count)
            _draft = (Text, _beginsPasted);
        _shown = index;
        (var line, _beginsPasted) = index == _history.Count ? _draft : _history[index];
        Set(line, line.Length);
    }

    private EditResult Complete()
    {
        var before = Text[..Cursor];
        var start = before.LastIndexOf(' ') + 1;
        var words = complete(before);
        if (words.Count == 0)
            return new EditResult.Changed();
        var common = words.Aggregate(CommonPrefix);
        if (words.Count > 1 && common.Length <= Cursor - start)
            return new EditResult.Candidates(words);
        if (words.Count == 1 && (Cursor == Text.Length || Text[Cursor] != ' '))
            common += " ";
        Set(Text[..start] + common + Text[Cursor..], start + common.Length);
        return new EditResult.Changed();
    }

    private static string CommonPrefix(string one, string other)
    {
        var length = 0;
        while (length < one.Length && length < other.Length && one[length] == other[length])
            length++;
        return one[..length];
    }

    private int Before(int index) => Boundaries().LastOrDefault(boundary => boundary < index);

    private int After(int index) =>
        index >= Text.Length ? Text.Length : index + StringInfo.GetNextTextElementLength(Text, index);

    private int WordBefore(int index)
    {
        while (index > 0 && Text[index - 1] == ' ')
            index--;
        return index == 0 ? 0 : Text.LastIndexOf(' ', index - 1) + 1;
    }

    private int WordAfter(int index)
    {
        while (index < Text.Length && Text[index] == ' ')
            index++;
        var space = Text.IndexOf(' ', index);
        return space < 0 ? Text.Length : space;
    }

    private IEnumerable<int> Boundaries()
    {
        for (var i = 0; i < Text.Length; i += StringInfo.GetNextTextElementLength(Text, i))
            yield return i;
        yield return Text.Length;
    }
}
