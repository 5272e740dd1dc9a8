using ChordChat.Sdk.Messages;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/operations.md, Limits: ids of messages that a node need not push again.</summary>
public sealed class SettledIdsTests
{
    private const int FrameMax = 3 << 19;
    private const int SendsMax = (1 << 20) + (72 << 10);

    private readonly SettledIds _settled = new();

    [Fact]
    public void A_node_that_pushes_one_known_message_without_end_makes_nothing_grow()
    {
        for (var i = 0; i < 100_000; i++)
            _settled.Add(Id(1));
        Assert.Equal([Id(1)], _settled.Take());
        Assert.Empty(_settled.Take());
        _settled.Add(Id(1)); // The node did not hear of it.
        Assert.Equal([Id(1)], _settled.Take());
    }

    [Fact]
    public void What_one_frame_does_not_hold_goes_into_the_next_and_beyond_the_limit_it_comes_again()
    {
        for (var i = 0; i < SettledIds.Max + 100; i++)
            _settled.Add(Id(i));
        Assert.Equal(SettledIds.Max, _settled.Count);

        var told = new HashSet<ByteString>();
        while (_settled.Take() is { Count: > 0 } some)
        {
            Assert.InRange(some.Count, 1, SettledIds.PerFrameMax);
            var frame = new ClientFrame { Acknowledged = { some } };
            Assert.InRange(frame.CalculateSize() + SendsMax, 1, FrameMax);
            Assert.All(some, id => Assert.True(told.Add(id)));
        }

        Assert.Equal(SettledIds.Max, told.Count);
        for (var i = 0; i < SettledIds.Max + 100; i++) // All that was not heard of is pushed in the next session.
            if (!told.Contains(Id(i)))
                _settled.Add(Id(i));
        Assert.Equal(100, _settled.Take().Count);
    }

    private static ByteString Id(int number)
    {
        var id = new byte[16];
        BitConverter.TryWriteBytes(id, number);
        return ByteString.CopyFrom(id);
    }
}
