using ChordChat.Client.Terminal;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

public sealed class ScreenTests : IDisposable
{
    private readonly FakeTerminal _terminal = new(40, 10);
    private readonly Screen _screen;
    private (int Width, int Height) _size;

    public ScreenTests()
    {
        _size = _terminal.Size;
        _screen = new Screen(_terminal, () => _size, colours: true);
    }

    public void Dispose() => _terminal.Dispose();

    [Fact]
    public void A_narrow_screen_breaks_lines_between_words_however_far_they_are_indented()
    {
        const string Text = "/verify <user>          show the safety number you share; with 'ok': it is the same";
        for (var width = 20; width < 100; width++)
        {
            var rows = new StyledLine(24, new Span(Text, Style.Plain)).Rows(width, colours: false);

            Assert.All(rows, row => Assert.InRange(row.Length, 1, width));
            Assert.Equal(
                Text.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                rows.SelectMany(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        }
    }

    [Fact]
    public void A_terminal_that_does_not_know_its_size_is_drawn_on_as_one_of_eighty_columns()
    {
        Assert.Equal((80, 24), Output.Usable(0, 0));
        Assert.Equal((20, 2), Output.Usable(7, 1));
        Assert.Equal((132, 50), Output.Usable(132, 50));
    }

    [Fact]
    public void Spaces_that_begin_a_line_of_a_text_stay() => Assert.Equal(
        ["if x", "    :", "      y"],
        new StyledLine(2, new Span("if x\n  :\n    y", Style.Plain)).Rows(40, colours: false));

    /// <summary>Otherwise one may write to the wrong person.</summary>
    [Theory]
    [InlineData("●al 1 ", "", "charlotte", "●al 1 charlotte> ")]
    [InlineData("●alexandra 12 ", "●bartholomew 3 ", "charlotte", "charlotte> ")]
    [InlineData("●bartholomew 13 ", "●al 1 ", "charlotte", "●al 1 charlotte> ")]
    public void A_prompt_that_is_too_wide_leaves_out_what_is_unread_and_never_who_gets_the_line(
        string one, string other, string who, string shown)
    {
        _screen.SetInput(
            new(0, new Span(one, Style.Warning), new(other, Style.Warning), new(who + "> ", Style.Bold)), "hi", 2);
        Assert.Equal(shown + "hi", _terminal.Rows[^1]);
        Assert.Equal(shown.Length + 2, _terminal.Cursor.Column);
    }

    [Fact]
    public void A_name_that_is_wider_than_half_a_row_is_cut_and_the_cursor_stands_behind_the_text()
    {
        _screen.SetInput(StyledLine.Of(new string('x', 30) + "> "), "hi", 2);
        Assert.Equal(new string('x', 20) + "hi", _terminal.Rows[^1]);
        Assert.Equal(22, _terminal.Cursor.Column);
    }

    [Fact]
    public void What_is_said_about_the_last_lines_stands_below_them_and_no_input_row_behind_it()
    {
        _screen.SetInput(StyledLine.Of("bob> "), "half a sente", 6);
        Assert.Throws<InvalidOperationException>(() => _screen.Batch(() =>
        {
            _screen.Print(StyledLine.Of("10:31 carol: hi"));
            _screen.WhenShown(() => _screen.Print(StyledLine.Of("! it cannot be marked")));
            throw new InvalidOperationException();
        }));
        _screen.Close();
        Assert.Equal(["10:31 carol: hi", "! it cannot be marked", ""], _terminal.Rows);
    }

    [Fact]
    public void A_message_that_arrives_leaves_what_is_being_typed_alone()
    {
        _screen.SetInput(StyledLine.Of("bob> "), "half a sente", 6);
        _screen.Print(StyledLine.Of("10:31 carol: hi", Style.Accent));
        Assert.Equal(["10:31 carol: hi", "bob> half a sente"], _terminal.Rows);
        Assert.Equal((1, 11), _terminal.Cursor);
    }

    [Fact]
    public void A_long_line_is_broken_between_words_and_indented()
    {
        _screen.SetInput(StyledLine.Of("> "), "x", 1);
        _screen.Print(new StyledLine(
            6, new Span("10:31 ", Style.Dim), new Span("one two three four five six seven eight", Style.Plain)));
        Assert.Equal(["10:31 one two three four five six seven", "      eight", "> x"], _terminal.Rows);
    }

    [Fact]
    public void A_word_longer_than_the_screen_is_cut_and_wide_characters_are_not()
    {
        _screen.Print(StyledLine.Of(new string('漢', 25)));
        Assert.Equal([new string('漢', 20), new string('漢', 5), ">"], _terminal.Rows);
    }

    [Fact]
    public void An_input_longer_than_the_row_scrolls_sideways_with_the_cursor_in_sight()
    {
        var text = string.Concat(Enumerable.Range(0, 30).Select(i => $"w{i} "));
        for (var cursor = 0; cursor <= text.Length; cursor++)
        {
            _screen.SetInput(StyledLine.Of("> "), text, cursor);
            var row = Assert.Single(_terminal.Rows);
            var (_, column) = _terminal.Cursor;
            Assert.InRange(column, 2, 39);
            if (cursor < text.Length && text[cursor] != ' ')
                Assert.Equal(text[cursor], row[column]);
        }
    }

    [Fact]
    public void The_mark_of_an_earlier_line_is_rewritten_in_place()
    {
        var handle = _screen.Print(StyledLine.Of("10:31 waiting   you: hello"), new Mark(6, 9));
        _screen.Print(StyledLine.Of("10:32 bob: a line that is longer than the screen is wide"));
        _screen.SetInput(StyledLine.Of("> "), "typing", 3);
        Assert.True(_screen.Rewrite(handle, "kept 3/3", Style.Dim));
        Assert.Equal("10:31 kept 3/3  you: hello", _terminal.Rows[0]);
        Assert.Equal("> typing", _terminal.Rows[^1]);
        Assert.Equal((3, 5), _terminal.Cursor);
    }

    [Fact]
    public void A_line_that_has_scrolled_away_is_left_alone()
    {
        var handle = _screen.Print(StyledLine.Of("10:31 waiting   you: hello"), new Mark(6, 9));
        for (var i = 0; i < 12; i++)
            _screen.Print(StyledLine.Of($"line {i}"));
        Assert.False(_screen.Rewrite(handle, "kept 3/3", Style.Dim));
        Assert.Equal("10:31 waiting   you: hello", _terminal.Rows[0]);
    }

    [Fact]
    public void After_a_resize_nothing_older_is_touched()
    {
        var handle = _screen.Print(StyledLine.Of("10:31 waiting   you: hello"), new Mark(6, 9));
        _size = (30, 10);
        Assert.False(_screen.Rewrite(handle, "kept 3/3", Style.Dim));
        _screen.SetInput(StyledLine.Of("> "), new string('x', 100), 100);
        Assert.InRange(_terminal.Rows[^1].Length, 1, 30);
    }

    [Fact]
    public void A_pasted_book_is_drawn_once_and_only_near_the_cursor()
    {
        var gatherer = new KeyGatherer();
        var editor = new LineEditor(_ => []);
        var book = string.Concat(Enumerable.Repeat("漢字 and\ttext\r", 10_000));
        var strokes = $"\u001b[200~{book}\u001b[201~".SelectMany(
            sign => gatherer.Take(new ConsoleKeyInfo(sign, default, false, false, false)));
        var pasted = Assert.Single(KeyStroke.Merge(strokes));
        _screen.Batch(() =>
        {
            editor.Handle(pasted);
            _screen.SetInput(StyledLine.Of("> "), editor.Text, editor.Cursor);
        });
        Assert.Equal(1, _terminal.Draws);
        Assert.EndsWith("漢字 and    text", Assert.Single(_terminal.Rows), StringComparison.Ordinal);
        Assert.Equal(10_000, editor.Text.Split('\n').Length);
    }

    [Fact]
    public void Typing_at_once_is_inserted_at_once()
    {
        var typed = "/quit and more".Select(sign => new KeyStroke(EditKey.Text, sign.ToString()));
        Assert.Equal(
            [new(EditKey.Text, "/quit and more"), new(EditKey.Enter)],
            KeyStroke.Merge([.. typed, new KeyStroke(EditKey.Enter)]));
    }

    [Theory]
    [InlineData("/quit\r/logout\r", true)]
    [InlineData("/help\r", false)]
    public void Pasted_rows_are_text_and_never_commands(string pasted, bool isText)
    {
        var gatherer = new KeyGatherer();
        var editor = new LineEditor(_ => []);
        var results = $"\u001b[200~{pasted}\u001b[201~\r".SelectMany(
            sign => gatherer.Take(new ConsoleKeyInfo(sign, default, false, false, false))).Select(editor.Handle);
        var submitted = Assert.IsType<EditResult.Submitted>(results.ToList()[^1]);
        Assert.Equal((pasted.TrimEnd('\r').Replace('\r', '\n'), isText), (submitted.Line, submitted.IsText));
    }

    [Theory]
    [InlineData("🇩🇪", 2)]
    [InlineData("\u23F0", 2)]
    [InlineData("\u26AA", 2)]
    [InlineData("👩‍👩‍👧", 2)]
    [InlineData("👍🏽", 2)]
    [InlineData("❤️", 2)]
    [InlineData("❤", 1)]
    [InlineData("e\u0301", 1)]
    [InlineData("하", 2)]
    public void Widths_are_those_of_terminals(string text, int columns) => Assert.Equal(columns, TextWidth.Of(text));

    [Fact]
    public void Other_peoples_text_cannot_move_the_cursor_or_turn_the_line_around()
    {
        var text = Printable.Of("a\u001b[2J\u0007b\u202Ec\r\td\u0085");
        Assert.Equal("a\uFFFD[2J\uFFFDb\uFFFDc    d\uFFFD", text);
    }
}
