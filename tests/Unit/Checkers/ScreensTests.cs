using ChordChat.Tests.Checkers;
using Xunit;

namespace ChordChat.Tests.Unit.Checkers;

/// <summary>docs/protocol.md, Checkers: screens.</summary>
public class ScreensTests
{
    private readonly Screens _screens = new();

    public ScreensTests()
    {
        foreach (var text in (string[])["m1", "m2", "m3"])
            _screens.Sent("bob", "phone of alice", text);
    }

    [Fact]
    public void Each_message_once_and_in_order_is_right()
    {
        Show("phone", killed: false, "m1", "m2");
        Show("phone", killed: false, "m3");
        Assert.Empty(_screens.Faults());
    }

    [Fact]
    public void A_kept_message_is_shown_somewhere()
    {
        _screens.Kept("m2");
        Assert.Equal(["m2"], _screens.Missing());
        AssertWrong("m2 to bob was called kept, and no device ever showed it");
    }

    [Fact]
    public void A_receipt_without_a_device_that_has_it_is_a_fault()
    {
        _screens.Delivered("m2");
        AssertWrong("called delivered");
    }

    [Fact]
    public void What_an_old_device_remembers_is_not_lost()
    {
        _screens.Kept("m2");
        _screens.Remembered("bob", "phone", "m2", asNew: true);
        Assert.Empty(_screens.Missing());
        Assert.Empty(_screens.Faults());
        Assert.True(_screens.HasSeen("bob", "m2"));
    }

    [Fact]
    public void What_counts_as_shown_was_shown()
    {
        _screens.Remembered("bob", "phone", "m2", asNew: false);
        AssertWrong("counts m2 as shown, and never showed it");
    }

    [Fact]
    public void Once_on_a_device()
    {
        Show("phone", killed: false, "m1");
        Show("phone", killed: false, "m1");
        AssertWrong("showed m1 twice");
    }

    [Fact]
    public void The_end_of_what_a_killed_program_showed_may_come_again()
    {
        Show("phone", killed: true, "m1", "m2");
        Show("phone", killed: false, "m2", "m3");
        Assert.Empty(_screens.Faults());
    }

    [Fact]
    public void Not_its_beginning()
    {
        Show("phone", killed: true, "m1", "m2");
        Show("phone", killed: false, "m1", "m3");
        AssertWrong("showed m1 twice");
    }

    [Fact]
    public void Another_device_may_show_it_too()
    {
        Show("phone", killed: false, "m1", "m2");
        Show("laptop", killed: false, "m2", "m3");
        Assert.Empty(_screens.Faults());
    }

    [Fact]
    public void Out_of_order_is_a_fault_unless_one_was_said_to_be_missing()
    {
        Show("phone", killed: false, "m2", "m1");
        AssertWrong("showed m1 after m2");
    }

    [Fact]
    public void After_an_announced_gap_a_late_message_is_right_if_it_says_that_it_is_late()
    {
        ShowMarked("phone", ("m2", 1, false), ("m1", 0, true));
        Assert.Empty(_screens.Faults());
        ShowMarked("laptop", ("m2", 1, false), ("m1", 0, false));
        AssertWrong("laptop of bob showed m1 after m2, which was sent later, and did not say that it was late");
    }

    /// <summary>docs/e2e.md, Order: a new device does not know how many there were before it.</summary>
    [Fact]
    public void What_is_older_than_what_a_device_began_with_may_come_late_without_having_been_missed()
    {
        ShowMarked("phone", ("m3", 0, false), ("m1", 0, true), ("m2", 0, true));
        ShowMarked("laptop", ("m1", 0, true), ("m3", 0, false), ("m2", 0, true));
        Assert.Empty(_screens.Faults());
    }

    [Fact]
    public void What_lies_between_two_that_were_shown_was_said_to_be_missing()
    {
        ShowMarked("phone", ("m1", 0, false), ("m3", 0, false), ("m2", 0, true));
        AssertWrong("showed m2 after m3, which was sent later, and had not said that one was missing");
    }

    [Fact]
    public void Nothing_is_invented()
    {
        Show("phone", killed: false, "m9");
        AssertWrong("showed m9, which nobody sent there");
    }

    private void Show(string device, bool killed, params string[] texts)
    {
        var screen = ShowMarked(device, [.. texts.Select(text => (text, 0, false))]);
        if (killed)
            _screens.Killed(screen);
    }

    private Screen ShowMarked(string device, params (string Text, int Missing, bool SaysLate)[] lines)
    {
        var screen = _screens.Begin("bob", device);
        foreach (var (text, missing, saysLate) in lines)
            _screens.Shown(screen, text, missing, saysLate);
        return screen;
    }

    private void AssertWrong(string what) =>
        Assert.Contains(_screens.Faults(), fault => fault.Contains(what, StringComparison.Ordinal));
}
