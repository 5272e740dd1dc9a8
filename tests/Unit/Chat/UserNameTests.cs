using ChordChat.Core.Chat;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

public sealed class UserNameTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("7up")]
    [InlineData("anna-maria_2.0")]
    [InlineData("abcdefghijklmnopqrstuvwxyz012345")]
    public void Lower_case_letters_digits_and_three_signs_make_a_name(string name) =>
        Assert.True(UserName.IsValid(name));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Anna")]
    [InlineData("an na")]
    [InlineData(".anna")]
    [InlineData("-a")]
    [InlineData("änna")]
    [InlineData("аnna")]
    [InlineData("a/b")]
    [InlineData("anna\n")]
    [InlineData("abcdefghijklmnopqrstuvwxyz0123456")]
    public void Everything_else_does_not(string? name) => Assert.False(UserName.IsValid(name));

    /// <summary>The sealed formats and the node state the rule each for itself, since neither may lean on the other.
    /// </summary>
    [Fact]
    public void Nodes_and_sealed_formats_mean_the_same_names()
    {
        for (var c = '\0'; c < '\u2100'; c++)
            foreach (var name in (string[])[$"{c}", $"{c}a", $"a{c}", $"a{c}a", new string(c, 32), new string(c, 33)])
                Assert.True(
                    UserName.IsValid(name) == ChordChat.Crypto.UserName.IsValid(name),
                    $"U+{(int)c:x4} in a name of {name.Length}");
        Assert.False(UserName.IsValid("") || ChordChat.Crypto.UserName.IsValid(""));
    }
}
