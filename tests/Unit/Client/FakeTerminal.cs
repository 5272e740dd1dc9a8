using System.Globalization;
using System.Text;
using ChordChat.Client.Terminal;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>A terminal of a given size that understands what <see cref="Screen"/> writes, and refuses anything else.
/// </summary>
/// <param name="columnsOf">The columns of one text element, where this terminal counts them differently.</param>
internal sealed class FakeTerminal(int width, int height, Func<string, int>? columnsOf = null) : TextWriter
{
    private readonly List<string[]> _rows = [NewRow(width)];
    private int _row;
    private int _column;

    public override Encoding Encoding => Encoding.UTF8;

    public (int Width, int Height) Size => (width, height);

    /// <summary>Every row from the top of the scrollback on, without trailing spaces.</summary>
    public string[] Rows => [.. _rows.Select(row => string.Concat(row).TrimEnd())];

    /// <summary>The cursor: row as an index into <see cref="Rows"/>, and column.</summary>
    public (int Row, int Column) Cursor => (_row, _column);

    /// <summary>How often something was drawn.</summary>
    public int Draws { get; private set; }

    public override void Flush() => Draws++;

    private int Top => Math.Max(0, _rows.Count - height);

    public override void Write(string? value)
    {
        for (var i = 0; i < value!.Length;)
        {
            if (value[i] == '\u001b')
            {
                i = Escape(value, i + 1);
                continue;
            }

            var length = StringInfo.GetNextTextElementLength(value, i);
            // CR LF counts as one text element.
            Put(value[i] is '\r' or '\n' ? value[i].ToString() : value.Substring(i, length));
            i += value[i] is '\r' or '\n' ? 1 : length;
        }
    }

    private static string[] NewRow(int width) => [.. Enumerable.Repeat(" ", width)];

    private void Put(string element)
    {
        switch (element)
        {
            case "\r": _column = 0; return;
            case "\n":
                _row++;
                if (_row == _rows.Count)
                    _rows.Add(NewRow(width));
                return;
        }

        var columns = columnsOf is null ? TextWidth.OfElement(element) : columnsOf(element);
        Assert.True(_column + columns <= width, $"wrote past the right edge: '{element}' at {_column}");
        _rows[_row][_column] = element;
        for (var i = 1; i < columns; i++)
            _rows[_row][_column + i] = "";
        _column += columns;
    }

    private int Escape(string text, int at)
    {
        Assert.Equal('[', text[at]);
        var end = text.IndexOfAny(['A', 'B', 'C', 'J', 'H', 'm', 'h', 'l'], at);
        var number = int.TryParse(text.AsSpan(at + 1, end - at - 1), NumberStyles.None, null, out var n) ? n : 0;
        switch (text[end])
        {
            case 'A': _row = Math.Max(Top, _row - number); break;
            case 'B': _row = Math.Min(_rows.Count - 1, _row + number); break;
            case 'C': _column = Math.Min(width - 1, _column + number); break;
            case 'J' when number == 0: ClearToEnd(); break;
            case 'J': _rows.Clear(); _rows.Add(NewRow(width)); (_row, _column) = (0, 0); break;
        }

        return end + 1;
    }

    private void ClearToEnd()
    {
        for (var column = _column; column < width; column++)
            _rows[_row][column] = " ";
        _rows.RemoveRange(_row + 1, _rows.Count - _row - 1);
    }
}
