using System.Text;

namespace ChordChat.Client.Terminal;

/// <summary>Breaks text into rows that no terminal breaks again, whatever it takes the widths of characters
/// for.</summary>
/// <remarks>docs/e2e.md, Harmless: every row but the first is indented, so none looks like another line.</remarks>
internal sealed class RowBreaker(int width, int indent, bool colours)
{
    private readonly List<string> _rows = [];
    private readonly StringBuilder _row = new();
    private int _used;
    private bool _isContinued;

    public IReadOnlyList<string> All => [.. _rows, _row.ToString()];

    public void Add(Span span)
    {
        foreach (var piece in Pieces(Printable.Of(span.Text)))
            Add(piece, span.Style);
        if (span.Cut is not { } cut || _rows.Count - cut.RowsMax is not (> 0 and var before))
            return;
        _rows.RemoveRange(cut.RowsMax, before);
        Begin(within: false);
        Add(new Span($"... {before + 1:N0} more lines: {cut.Where}", span.Style));
    }

    private void Add(string piece, Style style)
    {
        var size = TextWidth.MostOf(piece);
        if (piece == "\n" || (_used > indent && _used + size > width))
            Break(within: piece != "\n");
        // A space where a row was broken is the break; one at the start of a line is its writer's.
        if (piece == "\n" || (_used == indent && _isContinued && piece == " "))
            return;
        if (size <= width - _used)
            Append(piece, size, style);
        else
            foreach (var part in TextWidth.Elements(piece).SelectMany(Parts))
            {
                var partSize = TextWidth.MostOf(part);
                if (_used + partSize > width && _used > indent)
                    Break(within: true);
                Append(part, partSize, style);
            }
    }

    /// <summary>What a person sees as one character may be made of so many that it fits into no row.</summary>
    private IEnumerable<string> Parts(string element) => TextWidth.MostOf(element) <= width - indent
        ? [element]
        : element.EnumerateRunes().Select(rune => rune.ToString());

    private void Append(string text, int size, Style style)
    {
        _row.Append(colours ? Ansi.Paint(text, style) : text);
        _used += size;
    }

    private void Break(bool within)
    {
        _rows.Add(_row.ToString());
        Begin(within);
    }

    private void Begin(bool within)
    {
        _row.Clear().Append(' ', _used = indent);
        _isContinued = within;
    }

    /// <summary>Words, the spaces between them, and line feeds.</summary>
    private static IEnumerable<string> Pieces(string text)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
            if (text[i] is ' ' or '\n')
            {
                if (i > start)
                    yield return text[start..i];
                yield return text[i].ToString();
                start = i + 1;
            }

        if (start < text.Length)
            yield return text[start..];
    }
}
