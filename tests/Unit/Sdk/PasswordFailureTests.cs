using ChordChat.Sdk.Accounts;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Passwords: who is refused a password hears why.</summary>
public sealed class PasswordFailureTests
{
    [Theory]
    [InlineData("password1234", "common passwords")]
    [InlineData("aliceALICEalice", "the user's own name")]
    [InlineData("aaaaaaaaaaaaaaaaaaaa", "repeated characters")]
    [InlineData("abcdefghijklmnop", "sequences such as abc or 321")]
    [InlineData("oiuytrewqpoiuy", "neighbouring keys")]
    [InlineData("liverpool2019", "dates and years")]
    public void An_easy_password_is_refused_with_what_it_is_made_of(string password, string why)
    {
        var refused = PasswordFailures.Of(password, "alice", demo: false)!;
        Assert.Equal("weak_password", refused.Code);
        Assert.StartsWith(
            "the password is too easy to guess: attackers try ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(password, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tR7#kq2!v", "the password is too short: it needs at least 10 characters, and has 9")]
    [InlineData("", "no password was typed")]
    public void A_short_one_hears_how_long_it_must_be(string password, string why) =>
        Assert.Equal(why, PasswordFailures.Of(password, "alice", demo: false)!.Message);

    [Fact]
    public void A_good_one_is_taken() =>
        Assert.Null(PasswordFailures.Of("kumquat-velvet-harpsichord", "alice", demo: false));
}
