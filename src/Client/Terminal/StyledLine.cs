using System.Text;

namespace ChordChat.Client.Terminal;

internal enum Style
{
    Plain,
    Dim,
    Bold,
    Good,
    Warning,
    Bad,
    Accent,
}

internal readonly record struct Span(string Text, Style Style);

/// <summary>A line of styled spans. Continuation rows are indented by <see cref="Indent"/> columns.</summary>
/// <remarks>Nothing in a span can be an escape or a line of its own: everything shown goes through here.</remarks>
internal sealed record StyledLine(int Indent, params Span[] Spans)
{
    public static StyledLine Of(string text, Style style = Style.Plain) => new(0, new Span(text, style));

    /// <summary>The rows that this line takes at <paramref name="width"/> columns, with or without colour
    /// codes.</summary>
    public IReadOnlyList<string> Rows(int width, bool colours)
    {
        var rows = new List<string>();
        var row = new StringBuilder();
        var (used, indent, isContinued) = (0, Math.Min(Indent, width / 2), false);
        foreach (var span in Spans)
            foreach (var piece in Pieces(Printable.Of(span.Text)))
            {
                var size = TextWidth.Of(piece);
                if (piece == "\n" || (used > indent && used + size > width))
                    Break(within: piece != "\n");
                // A space where a row was broken is the break; one at the start of a line is its writer's.
                if (piece == "\n" || (used == indent && isContinued && piece == " "))
                    continue;
                if (size <= width - used)
                    Append(piece, size, span.Style);
                else
                    foreach (var element in TextWidth.Elements(piece))
                    {
                        if (used + TextWidth.OfElement(element) > width && used > indent)
                            Break(within: true);
                        Append(element, TextWidth.OfElement(element), span.Style);
                    }
            }

        rows.Add(row.ToString());
        return rows;

        void Append(string text, int size, Style style)
        {
            row.Append(colours ? Ansi.Paint(text, style) : text);
            used += size;
        }

        void Break(bool within)
        {
            rows.Add(row.ToString());
            row.Clear().Append(' ', used = indent);
            isContinued = within;
        }
    }

    /// <returns>The text, harmless and unbroken, rows after a line feed indented.</returns>
    public override string ToString() => string.Join('\n', Rows(int.MaxValue, colours: false));

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
