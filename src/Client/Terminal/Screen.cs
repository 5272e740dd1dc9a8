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
    private int _nextHandle = 1;
    private (int Width, int Height) _size;
    private StyledLine _prompt = StyledLine.Of("> ");
    private string _text = "";
    private int _cursor;

    /// <summary>Redraws the input row.</summary>
    public void SetInput(StyledLine prompt, string text, int cursor)
    {
        (_prompt, _text, _cursor) = (prompt, text, cursor);
        Emit(Ansi.ClearToEnd + InputRow());
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
        Emit(Ansi.ClearToEnd + string.Join("\r\n", rows) + "\r\n" + InputRow());
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
            + Ansi.Down(up) + Ansi.ClearToEnd + InputRow());
        return true;
    }

    public void Clear()
    {
        _printed.Clear();
        Emit(Ansi.ClearScreen + InputRow());
    }

    /// <summary>Takes the input row away, so that the shell's prompt starts on a clean row.</summary>
    public void Close() => Emit(Ansi.ClearToEnd);

    private void NoticeResize()
    {
        var now = size();
        now = (Math.Max(now.Width, 20), Math.Max(now.Height, 2));
        if (now == _size)
            return;
        // Terminals disagree on how old rows are broken anew, so what stands above is only history from now on.
        _size = now;
        _printed.Clear();
    }

    private string InputRow()
    {
        NoticeResize();
        var promptWidth = Math.Min(TextWidth.Of(_prompt.ToString()), _size.Width / 2);
        var room = _size.Width - promptWidth - 1;
        var (visible, column) = Window(_text, _cursor, room);
        return _prompt.Rows(_size.Width / 2, colours)[0] + visible
            + "\r" + Ansi.Right(promptWidth + column);
    }

    /// <summary>The part of the text that fits, and the cursor's column in it.</summary>
    private static (string Visible, int Column) Window(string text, int cursor, int room)
    {
        var shown = text.Replace('\n', ' ');
        if (TextWidth.Of(shown) <= room)
            return (shown, TextWidth.Of(shown[..cursor]));
        var start = 0;
        foreach (var element in TextWidth.Elements(shown[..cursor]))
        {
            if (TextWidth.Of(shown[start..cursor]) <= room * 3 / 4)
                break;
            start += element.Length;
        }

        var visible = new StringBuilder(start > 0 ? "…" : "");
        var used = visible.Length;
        var column = used + TextWidth.Of(shown[start..cursor]);
        foreach (var element in TextWidth.Elements(shown[start..]))
        {
            var width = TextWidth.OfElement(element);
            if (used + width > room)
                break;
            visible.Append(element);
            used += width;
        }

        return (visible.ToString(), column);
    }

    private void Emit(string sequence)
    {
        output.Write(Ansi.HideCursor + sequence + Ansi.ShowCursor);
        output.Flush();
    }
}

/// <summary>A field of fixed width in a printed line's first row.</summary>
internal readonly record struct Mark(int Column, int Width);
