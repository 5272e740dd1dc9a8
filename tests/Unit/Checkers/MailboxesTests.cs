using ChordChat.Tests.Checkers;
using Xunit;

namespace ChordChat.Tests.Unit.Checkers;

/// <summary>docs/protocol.md, Checkers: mailboxes and transcripts.</summary>
public class MailboxesTests
{
    private readonly Mailboxes _history = new();

    [Fact]
    public void What_was_kept_before_a_reading_is_in_it()
    {
        Keep("m1", 1);
        Keep("m2", 5);

        Read(3, 4, "m1");
        AssertRight();
        Read(6, 7, "m2");
        AssertWrong("kept message m1 of bob is lost");
    }

    [Fact]
    public void A_reading_that_did_not_end_may_lack_messages()
    {
        Keep("m1", 1);
        Read(2, null);
        AssertRight();
    }

    [Fact]
    public void Nothing_is_invented_and_nothing_refused_is_there()
    {
        Read(0, 1, "m9");
        AssertWrong("m9, which nobody sent");
    }

    [Fact]
    public void A_refused_message_is_not_there()
    {
        Send("m1", 0);
        _history.Refused("bob", "m1");
        Read(2, 3, "m1");
        AssertWrong("m1, which was refused");
    }

    [Fact]
    public void A_message_does_not_come_back_after_its_acknowledgement()
    {
        Keep("m1", 1);
        _history.Acknowledging("bob", "m1", At(2));
        Read(3, 4);
        Read(3, 4, "m1");
        AssertRight();
        _history.Acknowledged("bob", "m1", At(5));
        Read(6, 7, "m1");
        AssertWrong("m1 of bob came back");
    }

    [Fact]
    public void A_reading_names_a_message_once()
    {
        Keep("m1", 1);
        Read(2, 3, "m1", "m1");
        AssertWrong("gave m1 twice");
    }

    [Fact]
    public void A_client_shows_a_message_once()
    {
        Show("m1", "m1");
        AssertWrong("showed m1 twice");
    }

    [Fact]
    public void A_client_shows_a_senders_messages_in_their_order()
    {
        _history.Sent("bob", "c1", "carol", At(0));
        Show("m1", "m2");
        _history.Shown("bob", "c1");
        AssertRight();
        Send("m3", 3);
        Send("m4", 4);
        _history.Shown("bob", "m4");
        _history.Shown("bob", "m3");
        AssertWrong("showed m3 of alice after m4");
    }

    /// <summary>docs/e2e.md#order: a gap that is given up is shown as one.</summary>
    [Fact]
    public void What_was_said_to_be_missing_may_be_shown_late()
    {
        Show("m1");
        foreach (var (id, at) in new[] { ("m2", 2), ("m3", 3), ("m4", 4) })
            Send(id, at);
        _history.Shown("bob", "m4", missing: 1);
        _history.Shown("bob", "m3");
        AssertRight();
        _history.Shown("bob", "m2");
        AssertWrong("showed m2 of alice after m4");
    }

    [Fact]
    public void In_the_end_all_that_is_kept_was_shown()
    {
        Keep("m1", 1);
        Send("m2", 1);
        AssertRight();
        Assert.Equal("kept message m1 of bob was never shown", _history.Fault(atEnd: true));
        _history.Shown("bob", "m1");
        Assert.Null(_history.Fault(atEnd: true));
        Assert.Equal((2, 1, 1), _history.Counts);
    }

    [Fact]
    public void In_the_end_transcripts_are_equal()
    {
        Assert.Null(Transcripts.Fault("a-b", new Dictionary<string, IReadOnlyList<string>>
        {
            ["a"] = ["m1", "m2"],
            ["b"] = ["m1", "m2"],
        }));
        var fault = Transcripts.Fault("a-b", new Dictionary<string, IReadOnlyList<string>>
        {
            ["a"] = ["m1", "m2", "m3"],
            ["b"] = ["m1", "m3"],
        });
        Assert.Contains("entry 1 is m2 at a and m3 at b", fault, StringComparison.Ordinal);
    }

    private void Send(string id, int at) => _history.Sent("bob", id, "alice", At(at));

    private void Keep(string id, int at)
    {
        Send(id, at - 1);
        _history.Kept("bob", id, At(at));
    }

    private void Show(params string[] ids)
    {
        foreach (var id in ids)
        {
            Send(id, 0);
            _history.Shown("bob", id);
        }
    }

    private void Read(int from, int? to, params string[] ids) =>
        _history.Read("bob", ids, At(from), to is { } end ? At(end) : null);

    private void AssertRight() => Assert.Null(_history.Fault(atEnd: false));

    private void AssertWrong(string words) =>
        Assert.Contains(words, _history.Fault(atEnd: false), StringComparison.Ordinal);

    private static TimeSpan At(int seconds) => TimeSpan.FromSeconds(seconds);
}
