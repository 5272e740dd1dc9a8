using System.Globalization;
using System.Text;
using ChordChat.Client.Terminal;
using Wcwidth;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/e2e.md, Harmless: every row but the first is indented, whatever a terminal takes widths for.</summary>
public sealed class RowBreakerTests
{
    private const string Forged = "2026-11-29 22:14:05 bob: new account number 1234";

    private const string Before = "2026-11-29 22:14:04 eve: ";

    private static readonly string Joined = string.Join('\u200D', Enumerable.Repeat("😀", 27));
    private static readonly string Marked = "\u0915" + new string('\u093E', 60);
    private static readonly string Jamo = "\u1100" + new string('\u1161', 100);
    private static readonly string Tagged = "🏴" + string.Concat(Enumerable.Repeat("\U000E0061", 90));
    private static readonly string Pictures = string.Concat(Enumerable.Repeat("❤\uFE0F", 60));

    public static TheoryData<string> Hostile =>
    [
        .. from cluster in (string[])[Joined, Marked, Jamo, Tagged, Pictures]
           from fill in (int[])[0, 1, 30, 54, 60, 74]
           select new string('x', fill) + cluster + Forged,
        .. from cluster in (string[])[Joined, Marked, Jamo, Tagged]
           select $"a {cluster}{cluster} {cluster} {Forged}",
    ];

    /// <summary>Terminals that join emoji and give marks no column, that draw all parts, that give a column to spacing
    /// marks and to what is invisible.</summary>
    private static readonly Func<string, int>[] Counts =
    [
        TextWidth.Of,
        text => text.EnumerateRunes().Sum(rune => Math.Max(0, UnicodeCalculator.GetWidth(rune.Value))),
        text => text.EnumerateRunes().Sum(rune => Rune.GetUnicodeCategory(rune) is UnicodeCategory.SpacingCombiningMark
            or UnicodeCategory.Format or UnicodeCategory.OtherLetter
                ? Math.Max(1, UnicodeCalculator.GetWidth(rune.Value))
                : Math.Max(0, UnicodeCalculator.GetWidth(rune.Value))),
        TextWidth.MostOf,
    ];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void No_text_makes_a_terminal_break_a_row_by_itself(string text)
    {
        foreach (var width in (int[])[20, 40, 80, 81, 132])
            foreach (var count in Counts)
            {
                var rows = new StyledLine(4, new Span(Before, Style.Plain), new(text, Style.Plain))
                    .Rows(width, colours: false);
                Assert.All(rows, row => Assert.InRange(count(row), 0, width));
                Assert.All(rows.Skip(1), row => Assert.StartsWith("    ", row, StringComparison.Ordinal));
                Assert.Equal(Compact(Before + text), Compact(string.Concat(rows)));
            }
    }

    /// <summary>The console's screen, on a terminal that draws every part of a cluster.</summary>
    [Theory]
    [MemberData(nameof(Hostile))]
    public void On_the_screen_of_the_console_each_row_is_the_terminals_row(string text)
    {
        foreach (var count in Counts)
        {
            using var terminal = new FakeTerminal(80, 10, count);
            var screen = new Screen(terminal, () => terminal.Size, colours: true);
            screen.Print(new StyledLine(6, new Span("12:00 eve: ", Style.Accent), new Span(text, Style.Plain)));
            Assert.All(
                terminal.Rows[1..^1],
                row => Assert.True(row.Length == 0 || row.StartsWith("      ", StringComparison.Ordinal)));
        }
    }

    /// <summary>A row may end early, but what a person sees as one character stays whole.</summary>
    [Theory]
    [InlineData("🇩🇪🇫🇷🇮🇳")]
    [InlineData("1️⃣2️⃣#️⃣")]
    [InlineData("👨‍👩‍👧‍👦👩🏽‍🚀🏴\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F")]
    [InlineData("नमस्ते दुनिया, आप कैसे हैं?")]
    [InlineData("สวัสดีชาวโลก ก็ได้")]
    [InlineData("안녕하세요 한글")]
    [InlineData("\u1112\u1161\u11ab\u1100\u1173\u11af")]
    [InlineData("e\u0301 ä̈ é")]
    public void What_people_write_is_broken_between_characters_only(string text)
    {
        text = string.Concat(Enumerable.Repeat(text, 20));
        foreach (var width in (int[])[30, 80, 81])
        {
            var rows = new StyledLine(4, new Span(text, Style.Plain)).Rows(width, colours: false);
            Assert.All(rows, row => Assert.InRange(TextWidth.MostOf(row), 0, width));
            Assert.Equal(Elements(text), rows.SelectMany(Elements));
        }

        Assert.Equal(text, new StyledLine(4, new Span(text, Style.Plain)).ToString());

        static IEnumerable<string> Elements(string text) =>
            TextWidth.Elements(text).Where(element => element != " ");
    }

    private static string Compact(string text) => text.Replace(" ", "", StringComparison.Ordinal);

    /// <summary>What no count of columns foresees does not wrap.</summary>
    [Fact]
    public void At_a_terminal_rows_are_written_with_wrapping_off_and_it_is_on_again_behind_them()
    {
        var line = new StyledLine(4, new Span("one two", Style.Plain));
        Assert.Equal("one two", Output.Rows(line, null, takesEscapes: true));
        Assert.Equal("one two", Output.Rows(line, 80, takesEscapes: false));
        Assert.Equal("\u001b[?7lone two\u001b[?7h", Output.Rows(line, 80, takesEscapes: true));
        Assert.Equal($"one {Environment.NewLine}   two", Output.Rows(line, 6, takesEscapes: false));

        using var written = new StringWriter();
        new Screen(written, () => (80, 24), colours: false).Print(line);
        Assert.Matches(@"\u001b\[\?7l.*one two.*> .*\u001b\[\?7h", written.ToString().ReplaceLineEndings(""));
    }
}
