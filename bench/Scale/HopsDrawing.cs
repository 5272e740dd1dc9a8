using System.Globalization;
using System.Text;

namespace ChordChat.Bench.Scale;

/// <summary>Hops over ring size as an SVG that reads on light and dark pages.</summary>
internal static class HopsDrawing
{
    private const double Left = 52, Right = 560, Top = 18, Bottom = 282, HopsMax = 18;

    private static readonly (string Label, string Colour, string Dash, Func<ScaleRow, double> Value)[] Lines =
    [
        ("most, fingers and successors", "#c2571a", "2 4", row => row.Max),
        ("mean, fingers and successors", "#c2571a", "", row => row.Mean),
        ("1/2 log2 N", "#888888", "6 4", row => row.HalfLog),
        ("most, with cache", "#2a78c2", "2 4", row => row.CachedMax),
        ("mean, with cache", "#2a78c2", "", row => row.CachedMean),
    ];

    public static string Draw(IReadOnlyList<ScaleRow> rows)
    {
        var svg = new StringBuilder();
        svg.AppendLine("""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 330" font-family="sans-serif" font-size="13">
            <style>text { fill: #333 } .grid { stroke: #ccc }
            """
            + " @media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #555 } }</style>\n"
            + "<title>Hops of a lookup over the number of nodes</title>");
        for (var hops = 0; hops <= HopsMax; hops += 3)
            svg.AppendLine(
                Text($"<path class=\"grid\" d=\"M{Left} {Y(hops):f1}H{Right}\"/>")
                + Text($"<text x=\"{Left - 8}\" y=\"{Y(hops) + 4:f1}\" text-anchor=\"end\">{hops}</text>"));
        foreach (var row in rows)
            svg.AppendLine(Text(
                $"<text x=\"{X(rows, row):f1}\" y=\"{Bottom + 20}\" text-anchor=\"middle\">{row.Nodes:n0}</text>"));
        svg.AppendLine(
            Text($"<text x=\"{(Left + Right) / 2}\" y=\"{Bottom + 42}\" text-anchor=\"middle\">")
            + "hops of a lookup, over the number of nodes</text>");
        for (var i = 0; i < Lines.Length; i++)
            svg.AppendLine(Line(rows, i));
        return svg.AppendLine("</svg>").ToString();
    }

    private static string Line(IReadOnlyList<ScaleRow> rows, int number)
    {
        var (label, colour, dash, value) = Lines[number];
        var points = string.Join(' ', rows.Select(row => Text($"{X(rows, row):f1},{Y(value(row)):f1}")));
        var style = $"stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\" fill=\"none\"";
        var y = 40 + (number * 26);
        return Text($"<polyline points=\"{points}\" {style}/><path d=\"M{Right + 24} {y}h30\" {style}/>")
            + Text($"<text x=\"{Right + 62}\" y=\"{y + 4}\">{label}</text>");
    }

    private static double X(IReadOnlyList<ScaleRow> rows, ScaleRow row)
    {
        var (first, last) = (Math.Log(rows[0].Nodes), Math.Log(rows[^1].Nodes));
        return Left + 16 + ((Math.Log(row.Nodes) - first) / (last - first) * (Right - Left - 32));
    }

    private static double Y(double hops) => Bottom - (hops / HopsMax * (Bottom - Top));

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
