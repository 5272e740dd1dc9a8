using ChordChat.Client.Scripting;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>README.md, in the console: a password that is asked for.</summary>
public sealed class PromptTests
{
    [Theory]
    [InlineData("boats\r", "boats")]
    [InlineData("boot\b\bats\r", "boats")]
    [InlineData("\r", "")]
    [InlineData("\u0004", null)]
    [InlineData("boats\u0004\r", "boats")]
    [InlineData("x\b\u0004", null)]
    public void A_password_ends_with_Enter_and_Ctrl_D_leaves_before_it_begins(string keys, string? typed)
    {
        var left = new Queue<char>(keys);
        Assert.Equal(typed, Prompt.Unseen(() => Key(left.Dequeue())));
        Assert.Empty(left);
    }

    private static ConsoleKeyInfo Key(char sign) => new(
        sign,
        sign switch
        {
            '\r' => ConsoleKey.Enter,
            '\b' => ConsoleKey.Backspace,
            '\u0004' => ConsoleKey.D,
            _ => default,
        },
        shift: false, alt: false, control: sign == '\u0004');
}
