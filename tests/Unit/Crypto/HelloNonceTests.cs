using ChordChat.Crypto.Sessions;
using Xunit;

namespace ChordChat.Tests.Unit.Crypto;

/// <summary>docs/e2e.md, Session: which of two hellos is the later one.</summary>
public sealed class HelloNonceTests
{
    [Fact]
    public void The_later_time_is_later_and_no_hello_is_later_than_itself()
    {
        var (older, newer) = (HelloNonce.New(1_700_000_000_255), HelloNonce.New(1_700_000_000_256));
        Assert.Equal(SessionProof.NonceBytes, older.Length);
        Assert.Equal(1_700_000_000_256UL, HelloNonce.TimeMsOf(newer));
        Assert.True(HelloNonce.IsLater(newer, older));
        Assert.False(HelloNonce.IsLater(older, newer));
        Assert.False(HelloNonce.IsLater(newer, newer));
    }

    [Fact]
    public void Of_one_millisecond_one_is_later()
    {
        var (one, other) = (HelloNonce.New(7), HelloNonce.New(7));
        Assert.NotEqual(HelloNonce.IsLater(one, other), HelloNonce.IsLater(other, one));
    }
}
