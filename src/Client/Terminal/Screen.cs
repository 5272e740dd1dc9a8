using System.Text;

namespace ChordChat.Client.Terminal;

/// <summary>Draws a growing transcript above one input row, and touches nothing else.</summary>
/// <remarks>
/// The input always takes exactly one row (it scrolls sideways), so printing above it is: clear that row, print, draw
/// it again. What is being typed can therefore never be torn apart. Rows are broken here, not by the terminal, so that
/// a mark in a line printed earlier can be found again and rewritten; after a resize nothing older is touched any more.
/// </remarks>
internal sealed class Screen(TextWriter output, Func<(int Width, int Height)> size, bool colours)
{
    private const int TrackedMax = 200;

    private readonly List<(int Handle, int Rows, Mark? Mark)> _printed = [];
    private readonly StringBuilder _pending = new();
    private readonly List<Action> _whenShown = [];
    private int _nextHandle = 1;
    private bool _isBatch;
    private (int Width, int Height) _size;
    private StyledLine _prompt = StyledLine.Of("> ");
    private string _text = "";
    private int _cursor;

    /// <summary>Asks the terminal to mark what is pasted.</summary>
    public void Open() => Emit(Ansi.MarkPastes);

    /// <summary>Draws all that <paramref name="changes"/> does at once, so that much input costs one drawing.</summary>
    public void Batch(Action changes)
    {
        _isBatch = true;
        try
        {
            changes();
        }
        finally
        {
            _isBatch = false;
        }

        Emit("");
    }

    /// <summary>Does something once all that was printed so far is written: at once, or after the batch. What cannot be
    /// written was not shown, and then it is never done.</summary>
    public void WhenShown(Action then)
    {
        if (_isBatch)
            _whenShown.Add(then);
        else
            then();
    }

    /// <summary>Redraws the input row.</summary>
    public void SetInput(StyledLine prompt, string text, int cursor)
    {
        (_prompt, _text, _cursor) = (prompt, text, cursor);
        Emit("");
    }

    /// <summary>Prints a line above the input.</summary>
    /// <param name="line">The line to print.</param>
    /// <param name="mark">A field in its first row that may change later, or null.</param>
    /// <returns>The handle for <see cref="Rewrite"/>.</returns>
    public int Print(StyledLine line, Mark? mark = null)
    {
        NoticeResize();
        var rows = line.Rows(_size.Width, colours);
        _printed.Add((_nextHandle, rows.Count, mark));
        if (_printed.Count > TrackedMax)
            _printed.RemoveAt(0);
        Emit(Ansi.ClearToEnd + string.Join("\r\n", rows) + "\r\n");
        return _nextHandle++;
    }

    /// <summary>Rewrites the mark of a line, if that line is still on the screen.</summary>
    public bool Rewrite(int handle, string text, Style style)
    {
        NoticeResize();
        var index = _printed.FindIndex(printed => printed.Handle == handle);
        if (index < 0 || _printed[index].Mark is not { } mark)
            return false;
        var up = _printed.Skip(index).Sum(printed => printed.Rows);
        if (up >= _size.Height)
            return false;
        var field = text.Length > mark.Width ? text[..mark.Width] : text.PadRight(mark.Width);
        Emit(
            "\r" + Ansi.Up(up) + Ansi.Right(mark.Column) + (colours ? Ansi.Paint(field, style) : field)
            + Ansi.Down(up));
        return true;
    }

    public void Clear()
    {
        _printed.Clear();
        Emit(Ansi.ClearScreen);
    }

    /// <summary>Takes the input row away, so that the shell's prompt starts on a clean row. What was not written yet is
    /// written; what is printed then stands below it, without an input row.</summary>
    public void Close()
    {
        _isBatch = true;
        do
        {
            output.Write(Ansi.WrapOff + _pending + Ansi.WrapOn + Ansi.ClearToEnd + Ansi.MarkPastesNoMore);
            Written();
        }
        while (_pending.Length > 0);
    }

    private void NoticeResize()
    {
        var now = size();
        if (now == _size)
            return;
        // Terminals disagree on how old rows are broken anew, so what stands above is only history from now on.
        _size = now;
        _printed.Clear();
    }

    private string InputRow()
    {
        NoticeResize();
        var prompt = FittingPrompt();
        var promptWidth = TextWidth.Of(prompt.Rows(_size.Width / 2, colours: false)[0]);
        var room = _size.Width - promptWidth - 1;
        var (visible, column) = Window(_text, _cursor, room);
        return prompt.Rows(_size.Width / 2, colours)[0] + visible
            + "\r" + Ansi.Right(promptWidth + column);
    }

    /// <summary>As much of the prompt as fits into half a row. Its last part says who gets the line, and stays.
    /// </summary>
    private StyledLine FittingPrompt()
    {
        var spans = _prompt.Spans.ToList();
        while (spans.Count > 1 && spans.Sum(span => TextWidth.Of(span.Text)) > _size.Width / 2)
            spans.Remove(spans[..^1].MaxBy(span => TextWidth.Of(span.Text)));
        return new(0, [.. spans]);
    }

    /// <summary>The part of the text that fits, and the cursor's column in it.</summary>
    /// <remarks>Looks only at what stands near the cursor: the text may be a pasted book.</remarks>
    private static (string Visible, int Column) Window(string text, int cursor, int room)
    {
        var from = SafeStart(text, cursor - 4 * room);
        var to = Math.Min(text.Length, cursor + 4 * room);
        var near = text[from..to].Replace('\n', '⏎');
        var elements = TextWidth.Elements(near).Select(one => (Text: one, Width: TextWidth.OfElement(one))).ToList();
        var (before, length) = (0, 0);
        foreach (var (element, width) in elements.TakeWhile(_ => length < cursor - from))
            (before, length) = (before + width, length + element.Length);
        if (from == 0 && to == text.Length && elements.Sum(element => element.Width) <= room)
            return (near, before);
        var first = 0;
        while (before > room * 3 / 4)
            before -= elements[first++].Width;
        var visible = new StringBuilder(from > 0 || first > 0 ? "…" : "");
        var used = visible.Length;
        var column = used + before;
        foreach (var (element, width) in elements.Skip(first))
        {
            if (used + width > room)
                break;
            visible.Append(element);
            used += width;
        }

        return (visible.ToString(), column);
    }

    /// <summary>A place at or before <paramref name="index"/> where a text element surely begins, if one is
    /// near.</summary>
    private static int SafeStart(string text, int index)
    {
        for (var start = index; start > 0 && start > index - 100; start--)
            if (char.IsAscii(text[start]))
                return start;
        return Math.Max(index - 100, 0);
    }

    /// <summary>Writes what is to be drawn and the input row behind it, unless a batch is going on.</summary>
    private void Emit(string sequence)
    {
        _pending.Append(sequence);
        if (_isBatch)
            return;
        output.Write(
            Ansi.HideCursor + Ansi.WrapOff + _pending + Ansi.ClearToEnd + InputRow() + Ansi.WrapOn + Ansi.ShowCursor);
        Written();
    }

    /// <summary>All that was pending is written; what was to be done then is done.</summary>
    private void Written()
    {
        output.Flush();
        _pending.Clear();
        Action[] due = [.. _whenShown];
        _whenShown.Clear(); // First, for they may print something.
        foreach (var then in due)
            then();
    }
}

/// <summary>A field of fixed width in a printed line's first row.</summary>
internal readonly record struct Mark(int Column, int Width);
