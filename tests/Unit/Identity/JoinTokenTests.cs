using System.Security.Cryptography;
using ChordChat.Node.Identity;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Identity;

public class JoinTokenTests
{
    private static readonly JoinToken Token = new(
        DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000), SHA256.HashData("authority"u8), new byte[16], "n6",
        "10.0.0.5:7401");

    private static readonly JoinBundle Bundle = new(new("n6", "key", "certificate"), [1, 2], [3, 4]);

    [Fact]
    public void A_token_is_one_word_that_says_everything()
    {
        var text = Token.ToString();
        Assert.DoesNotContain(' ', text);
        var read = JoinToken.TryParse(text)!;
        Assert.Equal((Token.Expires, Token.Name, Token.Address), (read.Expires, read.Name, read.Address));
        Assert.Equal(Token.Fingerprint, read.Fingerprint);
        Assert.Equal(Token.BundleId, read.BundleId);
    }

    [Fact]
    public void Half_a_token_is_none()
    {
        var text = Token.ToString();
        for (var length = 0; length < text.Length - "10.0.0.5:7401".Length; length++)
            Assert.Null(JoinToken.TryParse(text[..length]));
        Assert.Null(JoinToken.TryParse("x" + text));
        Assert.Null(JoinToken.TryParse(text + "!"));
    }

    [Fact]
    public void A_bundle_opens_with_its_token_only_and_only_unchanged()
    {
        var sealedBundle = Bundle.Seal(Token);
        Assert.Equal(Bundle.Identity, JoinBundle.Open(sealedBundle, Token)!.Identity);
        Assert.Null(JoinBundle.Open(sealedBundle, Token with { Secret = [.. Enumerable.Repeat((byte)1, 16)] }));
        for (var i = 0; i < sealedBundle.Length; i++)
        {
            sealedBundle[i] ^= 1;
            Assert.Null(JoinBundle.Open(sealedBundle, Token));
            sealedBundle[i] ^= 1;
            Assert.Null(JoinBundle.Open(sealedBundle.AsSpan(0, i), Token));
        }
    }

    [Fact]
    public void An_invite_is_handed_out_once()
    {
        var time = new ManualTime();
        var invites = new Invites(time);
        Assert.True(invites.Add("a", [1], time.Now.AddMinutes(15)));
        Assert.False(invites.Add("a", [2], time.Now.AddMinutes(15)));
        Assert.Equal([1], invites.Take("a"));
        Assert.Null(invites.Take("a"));
    }

    [Fact]
    public void An_invite_expires()
    {
        var time = new ManualTime();
        var invites = new Invites(time);
        Assert.True(invites.Add("a", [1], time.Now.AddMinutes(15)));
        Assert.False(invites.Add("b", [1], time.Now.AddDays(2)));
        time.Now = time.Now.AddMinutes(15);
        Assert.Null(invites.Take("a"));
    }

    [Fact]
    public void Invites_that_nobody_takes_do_not_fill_the_node()
    {
        var time = new ManualTime();
        var invites = new Invites(time);
        for (var i = 0; i < Invites.WaitingMax; i++)
            Assert.True(invites.Add($"{i}", [], time.Now.AddMinutes(1)));
        Assert.False(invites.Add("more", [], time.Now.AddMinutes(1)));
        time.Now = time.Now.AddMinutes(2);
        Assert.True(invites.Add("more", [], time.Now.AddMinutes(1)));
    }
}
