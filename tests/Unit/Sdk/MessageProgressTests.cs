using ChordChat.Sdk.Messages;
using Xunit;
using static ChordChat.Sdk.Messages.MessageState;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/protocol.md, "Receipt", at the sender's client.</summary>
public sealed class MessageProgressTests
{
    private const MessageState Kept = MessageState.Kept; // A class has this name too.

    /// <summary>The columns are Queued, Kept, Refused, Delivered, Read, Left, SentAgain.</summary>
    [Theory]
    [InlineData(Waiting, Queued, Kept, Refused, Delivered, Read, Unsent, Waiting)]
    [InlineData(Queued, Queued, Kept, Refused, Delivered, Read, Unsent, Queued)]
    [InlineData(Kept, Kept, Kept, Kept, Delivered, Read, Kept, Kept)]
    [InlineData(Delivered, Delivered, Delivered, Delivered, Delivered, Read, Delivered, Delivered)]
    [InlineData(Read, Read, Read, Read, Read, Read, Read, Read)]
    [InlineData(Refused, Refused, Kept, Refused, Delivered, Read, Refused, Refused)]
    [InlineData(Unsent, Unsent, Kept, Refused, Delivered, Read, Unsent, Waiting)]
    public void What_is_a_fact_stays_one_in_whatever_order_reports_come(MessageState now, params MessageState[] next) =>
        Assert.Equal(next, Enum.GetValues<MessageReport>().Select(report => MessageProgress.Next(now, report)));

    [Fact]
    public void Copies_that_do_not_answer_are_told_apart_from_those_that_keep_it()
    {
        var kept = After(New, MessageReport.Kept, "n1", "n2", "n5");
        var cut = After(kept, MessageReport.Kept, "n5");
        Assert.Equal((Kept, "n1 n2 n5", "n5"), Told(cut));
        Assert.Equal((Kept, "n2 n5", null), Told(After(cut, MessageReport.Kept, "n2", "n5")));
        Assert.Equal((Delivered, "n1 n2 n5", "n5"), Told(After(cut, MessageReport.Delivered)));
    }

    [Fact]
    public void Kept_by_less_than_a_majority_is_not_called_kept()
    {
        Assert.Equal((Queued, "n5", null), Told(After(New, MessageReport.Kept, "n5")));
        var delivered = After(After(New, MessageReport.Queued, "n5"), MessageReport.Delivered);
        Assert.Equal((Delivered, "n5", null), Told(delivered));
        Assert.Equal((Delivered, "n4 n5", null), Told(After(delivered, MessageReport.Kept, "n4", "n5")));
    }

    [Fact]
    public void A_message_that_has_arrived_does_not_lose_names() =>
        Assert.Equal(
            (Delivered, "n1 n2 n5", null),
            Told(After(
                After(After(New, MessageReport.Kept, "n1", "n2", "n5"), MessageReport.Delivered), MessageReport.Kept,
                "n1", "n2")));

    /// <summary>docs/e2e.md, New device.</summary>
    [Fact]
    public void That_it_may_have_been_kept_is_said_only_as_long_as_it_is_not_known()
    {
        var left = After(After(New, MessageReport.Queued), MessageReport.Left);
        Assert.Equal((Unsent, MessageProgress.PerhapsKept), (left.State, left.Note));
        Assert.Equal(MessageProgress.PerhapsKept, After(left, MessageReport.Queued).Note);
        Assert.Equal("", After(left, MessageReport.SentAgain).Note);
        Assert.Equal("", After(left, MessageReport.Kept, "n1", "n2").Note);
        Assert.Equal("", After(left, MessageReport.Delivered).Note);
        Assert.Equal("", After(New, MessageReport.Left).Note);
    }

    private static MessageProgress New => new(Waiting, [], 0, null, "");

    private static MessageProgress After(MessageProgress before, MessageReport report, params string[] copies) =>
        before.After(report, copies, copies.Length > 0 ? 3 : 0, "");

    private static (MessageState, string, string?) Told(MessageProgress progress) => (
        progress.State, string.Join(' ', progress.Copies),
        progress.Reachable is { } names ? string.Join(' ', names) : null);
}
