using ChordChat.Client.Terminal;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

public sealed class LineEditorTests
{
    private readonly LineEditor _editor = new(before =>
        before.EndsWith("/s", StringComparison.Ordinal) ? ["/send", "/status"]
        : before.EndsWith("/st", StringComparison.Ordinal) ? ["/status"]
        : []);

    [Fact]
    public void What_is_typed_stands_before_the_cursor()
    {
        Type("held");
        Press(EditKey.Left);
        Type("lo wor");
        Assert.Equal(("hello word", 9), (_editor.Text, _editor.Cursor));
    }

    [Theory]
    [InlineData("añ", 1)] // n and a combining tilde
    [InlineData("a👍🏽", 1)] // a thumb and its skin tone
    [InlineData("a👩‍👩‍👧", 1)] // a family joined by zero-width joiners
    [InlineData("a漢", 1)]
    public void Backspace_takes_what_a_person_sees_as_one_character(string text, int left)
    {
        foreach (var element in TextWidth.Elements(text))
            foreach (var rune in element.EnumerateRunes())
                Press(EditKey.Text, rune.ToString());
        Press(EditKey.Backspace);
        Assert.Equal(text[..left], _editor.Text);
        Assert.Equal(left, _editor.Cursor);
    }

    [Fact]
    public void The_arrows_never_stop_inside_a_character()
    {
        Type("👍🏽x");
        Press(EditKey.Home);
        Press(EditKey.Right);
        Press(EditKey.Delete);
        Assert.Equal("👍🏽", _editor.Text);
    }

    [Fact]
    public void Up_and_down_walk_through_history_and_bring_the_draft_back()
    {
        Submit("one");
        Submit("two");
        Submit("two");
        Type("dra");
        Press(EditKey.Up);
        Assert.Equal("two", _editor.Text);
        Press(EditKey.Up);
        Press(EditKey.Up);
        Assert.Equal("one", _editor.Text);
        Press(EditKey.Down);
        Press(EditKey.Down);
        Assert.Equal("dra", _editor.Text);
    }

    /// <summary>README.md, in the console: several pasted lines.</summary>
    [Fact]
    public void Pasted_lines_that_come_back_from_the_history_are_still_no_command()
    {
        Press(EditKey.Paste, "/msg carol a secret\nand more");
        Assert.True(Assert.IsType<EditResult.Submitted>(Press(EditKey.Enter)).IsText);
        Submit("/who");
        Type("/st");
        Press(EditKey.Up);
        Press(EditKey.Up);
        Assert.True(Assert.IsType<EditResult.Submitted>(Press(EditKey.Enter)).IsText);

        Press(EditKey.Up);
        Press(EditKey.Home);
        Type("/");
        var submitted = Assert.IsType<EditResult.Submitted>(Press(EditKey.Enter));
        Assert.Equal(("//msg carol a secret\nand more", false), (submitted.Line, submitted.IsText));
    }

    [Fact]
    public void Words_and_line_ends_can_be_killed()
    {
        Type("one two three");
        Press(EditKey.KillWord);
        Assert.Equal("one two ", _editor.Text);
        Press(EditKey.WordLeft);
        Press(EditKey.KillToEnd);
        Assert.Equal("one ", _editor.Text);
        Press(EditKey.KillToStart);
        Assert.Equal("", _editor.Text);
    }

    [Fact]
    public void Tab_completes_as_far_as_it_can_and_then_lists()
    {
        Type("/s");
        var several = Assert.IsType<EditResult.Candidates>(Press(EditKey.Tab));
        Assert.Equal(["/send", "/status"], several.Words);
        Type("t");
        Press(EditKey.Tab);
        Assert.Equal("/status ", _editor.Text);
    }

    [Fact]
    public void Interrupt_clears_the_line_and_on_an_empty_one_leaves()
    {
        Type("half");
        Assert.IsType<EditResult.Changed>(Press(EditKey.Interrupt));
        Assert.Equal("", _editor.Text);
        Assert.IsType<EditResult.Closed>(Press(EditKey.Interrupt));
        Assert.IsType<EditResult.Closed>(Press(EditKey.EndOfInput));
    }

    private void Type(string text)
    {
        foreach (var rune in text.EnumerateRunes())
            Press(EditKey.Text, rune.ToString());
    }

    private void Submit(string text)
    {
        Type(text);
        Assert.Equal(text, Assert.IsType<EditResult.Submitted>(Press(EditKey.Enter)).Line);
    }

    private EditResult Press(EditKey key, string text = "") => _editor.Handle(new KeyStroke(key, text));
}
