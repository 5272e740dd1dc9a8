using ChordChat.Core.Tiles;
using ChordChat.Node.Chat;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Unit.Chat;

/// <summary>docs/security.md, "What a call may cost": clients read what a node writes with the same rules.</summary>
public sealed class OutgoingTests
{
    private readonly Outgoing _outgoing = new(int.MaxValue);

    [Theory]
    [InlineData(0)]
    [InlineData(2_000)]
    public void However_much_waits_for_a_client_no_frame_costs_it_too_much(int mail)
    {
        var names = Enumerable.Range(0, 3_000).Select(i => $"u{i}").ToArray();
        _outgoing.Tell(new CircleOutcome.Agreed(new Core.Chat.Circle(names[..1_000], names[1_000..])));
        for (var i = 1u; i <= 5_000; i++)
            _outgoing.Report(new(Id(i), SendState.Kept, ["a", "b", "c"], 3, IsFirst: true));
        for (var i = 1u; i <= mail; i++)
            Assert.True(_outgoing.TryPush(new(Id(i), new byte[500])));

        var (reports, pushes) = (0, 0);
        while (_outgoing.Take() is { } batch)
        {
            var frame = ChatMaps.ToWire(batch);
            var verdict = MessageCost.Of(NodeFrame.Descriptor).Judge(new(frame.ToByteArray()));
            Assert.Equal(CostVerdict.Affordable, verdict);
            reports += frame.Outcomes.Count;
            pushes += frame.Pushes.Count;
        }

        Assert.Equal((5_000, mail), (reports, pushes));
    }

    [Fact]
    public void The_end_of_a_session_comes_after_all_reports()
    {
        for (var i = 1u; i <= 1_200; i++)
            _outgoing.Report(new(Id(i), SendState.Kept, [], 3, IsFirst: true));
        _outgoing.End(SessionEnd.OfStoppingNode);
        var reports = 0;
        OutgoingBatch? last = null;
        while (_outgoing.Take() is { } batch)
        {
            Assert.Null(last?.End);
            reports += batch.Reports?.Count ?? 0;
            last = batch;
        }

        Assert.Equal(1_200, reports);
        Assert.NotNull(last?.End);
        Assert.True(_outgoing.IsEmpty);
    }

    private static MessageId Id(uint number) => new(number);
}
