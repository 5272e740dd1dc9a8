using System.CommandLine;
using System.Text;
using ChordChat.Client.Scripting;
using ChordChat.Sdk;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("@notes.txt", "send", "bob", "@notes.txt")]
    [InlineData("@bob look", "send", "bob", "@bob", "look")]
    [InlineData("--json", "send", "bob", "--", "--json")]
    [InlineData("-5 degrees", "send", "--", "bob", "-5", "degrees")]
    [InlineData("-5 degrees", "send", "bob", "-5", "degrees")]
    [InlineData("a - b", "send", "bob", "a", "-", "b")]
    [InlineData("-", "send", "bob", "--", "-")]
    [InlineData("-", "send", "--", "bob", "-")]
    [InlineData("--help", "send", "bob", "--", "--help")]
    [InlineData("", "send", "bob", "")]
    public void The_words_are_what_is_sent(string text, params string[] args)
    {
        var parsed = CommandLine.Build().Parse(args, CommandLine.WordsAreWords);
        Assert.Empty(parsed.Errors);
        Assert.Equal([("bob", text)], SendCommand.Lines(parsed.GetValue<string[]>("user text")!, args.Contains("--")));
    }

    /// <summary>A misspelt option would go to the other person.</summary>
    [Theory]
    [InlineData("--wiat", "bob", "hi", "--wiat", "delivered")]
    [InlineData("--Wait", "bob", "hi", "--Wait", "delivered")]
    [InlineData("-x", "bob", "-x")]
    [InlineData("--usr", "--usr", "anna", "bob", "hi")]
    public void A_word_that_looks_like_an_option_is_no_text(string option, params string[] words)
    {
        var refused = Assert.Throws<ChordChatException>(() => SendCommand.Lines(words, literal: false).ToList());
        Assert.Equal(("usage", $"send has no option '{option}'"), (refused.Code, refused.Message));
        Assert.NotEmpty(SendCommand.Lines(words, literal: true));
    }

    [Theory]
    [InlineData("tail", "--timeout", "nan")]
    [InlineData("tail", "--timeout", "1e300")]
    [InlineData("tail", "--timeout", "-1")]
    [InlineData("tail", "--count", "0")]
    [InlineData("history", "bob", "--limit", "-1")]
    [InlineData("send", "bob", "hi", "--timeout", "inf")]
    public void A_number_that_nothing_can_be_done_with_is_refused(params string[] args) =>
        Assert.Contains(
            args[^1], Assert.Single(CommandLine.Build().Parse(args, CommandLine.WordsAreWords).Errors).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Input_that_is_not_UTF_8_is_refused_after_the_lines_before_it()
    {
        using var input = new MemoryStream([.. "one\r\n\ntwo\n"u8, 0xff, 0xfe, (byte)'\n', .. "four"u8]);
        var read = new List<string>();
        var cause = Assert.Throws<ChordChatException>(() => read.AddRange(InputLines.Read(input).Select(line =>
        {
            read.Add(line);
            return line;
        }).ToList()));
        Assert.Equal(["one", "two"], read);
        Assert.Equal(("bad_text", "line 4 of the input is not UTF-8"), (cause.Code, cause.Message));
    }

    [Theory]
    [InlineData("first\nsecond", "first")]
    [InlineData("\uFEFFwith a mark\r\n", "with a mark")]
    [InlineData("", "")]
    public void A_password_file_gives_its_first_line(string content, string expected)
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, Encoding.UTF8.GetBytes(content));
        Assert.Equal(expected, InputLines.First(path));
        File.WriteAllBytes(path, [.. Encoding.Latin1.GetBytes("gr\u00FCn"), (byte)'\n']);
        Assert.Null(InputLines.First(path));
        File.Delete(path);
    }
}
