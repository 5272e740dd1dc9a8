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

/// <param name="Cut">How much of it is shown; null: all.</param>
internal readonly record struct Span(string Text, Style Style, Cut? Cut = null);

/// <summary>A long text is cut, for it would push everything else off the screen.</summary>
/// <param name="RowsMax">Its rows that are shown; one more is not cut but shown.</param>
/// <param name="Where">Where the rest is to be had.</param>
internal sealed record Cut(int RowsMax, string Where);

/// <summary>A line of styled spans. Continuation rows are indented by <see cref="Indent"/> columns.</summary>
/// <remarks>Nothing in a span can be an escape or a line of its own: everything shown goes through here.</remarks>
internal sealed record StyledLine(int Indent, params Span[] Spans)
{
    public static StyledLine Of(string text, Style style = Style.Plain) => new(0, new Span(text, style));

    /// <summary>The rows that this line takes at <paramref name="width"/> columns, with or without colour
    /// codes.</summary>
    public IReadOnlyList<string> Rows(int width, bool colours)
    {
        var rows = new RowBreaker(width, Math.Min(Indent, width / 2), colours);
        foreach (var span in Spans)
            rows.Add(span);
        return rows.All;
    }

    /// <returns>The text, harmless and unbroken, rows after a line feed indented.</returns>
    public override string ToString() => string.Join('\n', Rows(int.MaxValue, colours: false));
}
