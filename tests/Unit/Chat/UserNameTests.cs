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
}
