using ChordChat.Crypto.Messages;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Links;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;
using static ChordChat.Tests.Unit.Crypto.TestUsers;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/protocol.md#no-empty-mail: what another node may hand to a session.</summary>
public sealed class DeliveredMailTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(EnvelopeHeader.BytesMax)]
    [InlineData(4 << 20)]
    public void What_is_no_envelope_is_refused(int bytes) =>
        Assert.Throws<MalformedException>(() => Call(new byte[16], new byte[bytes]).ToCore());

    [Fact]
    public void An_envelope_has_the_id_that_it_is_handed_over_with()
    {
        var made = Seal(Hello());
        var (id, envelope) = (made.Id.ToBytes(), made.Envelope);
        Assert.Equal(envelope, Call(id, envelope).ToCore().Envelope.ToArray());
        Assert.Throws<MalformedException>(() => Call(new byte[16], envelope).ToCore());
        Assert.Throws<MalformedException>(() => Call(id, envelope[..^1]).ToCore());
    }

    private static DeliverCall Call(byte[] id, byte[] envelope) => new()
    {
        User = "bob",
        Session = 1,
        Id = ByteString.CopyFrom(id),
        Envelope = ByteString.CopyFrom(envelope),
        From = "anna",
    };
}
