using ChordChat.Node.Base;
using ChordChat.Node.Commands;
using ChordChat.Node.Identity;
using Xunit;

namespace ChordChat.Tests.Unit.Commands;

public sealed class JoinCommandTests
{
    private static readonly JoinToken Token = new(
        DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000), new byte[32], new byte[16], "n6", "10.0.0.5:7401");

    [Fact]
    public void A_token_on_the_command_line_is_refused_with_what_to_do_instead()
    {
        var refused = Assert.Throws<StartRefusedException>(() => JoinCommand.RefuseOnCommandLine(Token.ToString()));
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("--token-file", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Token.ToString(), refused.Message, StringComparison.Ordinal);
        JoinCommand.RefuseOnCommandLine(null);
        JoinCommand.RefuseOnCommandLine("-");
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData("{0}\n")]
    [InlineData("\r\n  {0}  \r\nand more")]
    public void The_first_line_with_something_in_it_is_the_token(string input)
    {
        using var reader = new StringReader(input.Replace("{0}", Token.ToString(), StringComparison.Ordinal));
        Assert.Equal(Token.ToString(), JoinCommand.ReadToken(reader).ToString());
    }

    [Theory]
    [InlineData("", "no token was given")]
    [InlineData(" \n\n", "no token was given")]
    [InlineData("chordchat-join-1.AAAA", "not a whole join token")]
    public void Anything_else_is_refused_in_words(string input, string text)
    {
        using var reader = new StringReader(input);
        var refused = Assert.Throws<StartRefusedException>(() => JoinCommand.ReadToken(reader));
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_without_an_end_is_not_read_to_its_end()
    {
        using var endless = new StreamReader(new RepeatingStream());
        Assert.Throws<StartRefusedException>(() => JoinCommand.ReadToken(endless));
    }

    private sealed class RepeatingStream : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)'x');
            return buffer.Length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
    }
}
