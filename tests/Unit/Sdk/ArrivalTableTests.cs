using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

public sealed class ArrivalTableTests : IDisposable
{
    private readonly LocalStore _store = LocalStore.Open(":memory:");
    private readonly LocalKey _key = LocalKey.New();
    private readonly MessageTable _messages;
    private readonly ArrivalTable _arrivals;
    private readonly List<string> _shown = [];

    public ArrivalTableTests()
    {
        _messages = new MessageTable("bob", _key);
        _arrivals = new ArrivalTable(_messages);
    }

    public void Dispose()
    {
        _store.Dispose();
        _key.Dispose();
    }

    [Theory]
    [InlineData("1 2 3 4", "1 2 3 4")]
    [InlineData("4 3 2 1", "1 2 3 4")]
    [InlineData("2 1 2 4 4 3", "1 2 3 4")]
    [InlineData("1 3 4", "1")]
    public void Whatever_the_order_of_arrival_each_is_shown_once_and_in_order(string arrive, string shown)
    {
        foreach (var seq in arrive.Split(' '))
            Arrive(int.Parse(seq, null));
        Assert.Equal(shown, string.Join(' ', _shown));
        Assert.Equal(shown, History());
    }

    [Fact]
    public void A_gap_that_is_given_up_is_counted_and_mended_when_the_rest_comes_after_all()
    {
        Arrive(1);
        Assert.True(Arrive(4).Gap);
        Assert.Equal(1, _store.Read(ArrivalTable.Held)["alice"]);
        GiveUpGaps();
        Assert.Empty(_store.Read(ArrivalTable.Held));
        Assert.Equal(2, Messages()[^1].MissingBefore);
        Arrive(3);
        Assert.Equal(1, Messages()[^1].MissingBefore);
        Arrive(2);
        Assert.Equal(0, Messages()[^1].MissingBefore);
        Assert.Equal("1 2 3 4", History());
        Assert.Equal([false, true, true, false], Messages().Select(message => message.IsLate));
    }

    [Fact]
    public void Behind_a_gap_that_is_given_up_nothing_stays_hidden_by_the_next_one()
    {
        foreach (var seq in (int[])[1, 3, 5, 8])
            Arrive(seq);
        GiveUpGaps();
        Assert.Equal("1 3 5 8", History());
        Assert.Equal([0, 1, 1, 2], Messages().Select(message => message.MissingBefore));
    }

    /// <summary>docs/e2e.md, Order: at most so much of one sender is held back, whatever gaps they leave.</summary>
    [Fact]
    public void Of_ten_thousand_messages_that_leave_gaps_only_so_many_are_held_back()
    {
        const int Count = 10_000;
        for (var i = 1; i <= Count; i++)
        {
            Arrive(2 * i);
            if (i % 500 == 0)
                Assert.InRange(_store.Read(ArrivalTable.Held)["alice"], 1, HeldMax);
        }

        Assert.InRange(_shown.Count, Count - HeldMax, Count - ArrivalTable.HeldMax);
        GiveUpGaps();
        Assert.Equal(Enumerable.Range(1, Count).Select(i => $"{2 * i}"), _shown);
        Assert.All(Messages(), message => Assert.Equal(1, message.MissingBefore));
    }

    [Fact]
    public void Gaps_that_hold_back_receipts_only_are_bounded_too_and_the_next_message_says_what_is_missing()
    {
        const int Count = HeldMax + 50;
        Arrive(1);
        for (var i = 1; i <= Count; i++)
            Arrive(1 + (2 * i), text: false);
        Assert.InRange(_store.Read(ArrivalTable.Held)["alice"], 1, HeldMax);
        Arrive(4); // One of those that were given up comes after all.
        Assert.Equal(0, Messages()[^1].MissingBefore);
        Arrive(2 * (Count + 1));
        GiveUpGaps();
        Assert.Equal((Count - 1, $"1 4 {2 * (Count + 1)}"), (Messages()[^1].MissingBefore, History()));
    }

    private const int HeldMax = ArrivalTable.HeldMax + ArrivalTable.HeldUncountedMax;

    /// <summary>What it belongs to is shown all the same.</summary>
    [Theory]
    [InlineData(1e300)]
    [InlineData(3.5)]
    public void A_number_that_the_disk_damaged_holds_up_nothing(double number)
    {
        Arrive(1);
        Arrive(3);
        foreach (var table in (string[])["heard", "messages"])
            _store.Write(db => db.Execute($"UPDATE {table} SET seq = $1 WHERE id = $2", number, IdOf(3)));
        GiveUpGaps();
        Arrive(2);
        Assert.Equal(["1", "3", "2"], _shown);
    }

    [Fact]
    public void A_receipt_takes_a_place_but_is_not_shown()
    {
        Arrive(1);
        Arrive(3);
        Arrive(2, text: false);
        Assert.Equal("1 3", History());
    }

    [Fact]
    public void A_gap_before_a_receipt_is_not_given_up_until_a_message_can_say_so()
    {
        Arrive(1);
        Arrive(3, text: false);
        GiveUpGaps();
        Arrive(4);
        Assert.Equal("1", History());
        GiveUpGaps();
        Assert.Equal((1, "1 4"), (Messages()[^1].MissingBefore, History()));
        Arrive(2);
        Assert.Equal((0, "1 2 4"), (Messages()[^1].MissingBefore, History()));
    }

    /// <summary>docs/e2e.md, Order: a restored backup counts on from where it was saved.</summary>
    [Fact]
    public void Two_bodies_at_one_place_are_an_alarm_and_both_are_shown_the_second_with_a_mark()
    {
        Arrive(1);
        var kept = Arrive(1, twin: true);
        Assert.True(kept.Fork);
        Assert.Single(kept.Settled);
        Assert.Equal("1 1", History());
        Assert.Equal("written by a copy of the sender's profile", Messages()[^1].Note);
        Arrive(1, twin: true);
        Arrive(2);
        Assert.Equal("1 1 2", string.Join(' ', _shown));
    }

    [Fact]
    public void What_is_held_back_is_settled_only_when_it_is_shown()
    {
        Arrive(1);
        Assert.Empty(Arrive(3).Settled);
        Assert.True(_store.Read(db => ArrivalTable.IsHeld(db, IdOf(3))));
        Assert.Equal([IdOf(2), IdOf(3)], Arrive(2).Settled);
        Assert.False(_store.Read(db => ArrivalTable.IsHeld(db, IdOf(3))));
        Arrive(5);
        Assert.Equal([IdOf(5)], GiveUpGaps().Settled);
    }

    [Fact]
    public void A_body_that_names_another_predecessor_is_an_alarm()
    {
        Arrive(1);
        Assert.True(Arrive(2, previous: BodyOf(9)).Fork);
        Assert.False(Arrive(3).Fork);
    }

    [Theory]
    [InlineData("5 6 7", 0)]
    [InlineData("6 7 5", 0)]
    [InlineData("5 7", 1)]
    public void A_second_device_starts_where_the_mailbox_starts_whatever_copy_answered_first(string arrive, int missing)
    {
        foreach (var seq in arrive.Split(' '))
            Arrive(int.Parse(seq, null), wholeHistory: false);
        Assert.Empty(_shown);
        CatchUp();
        GiveUpGaps();
        Assert.Equal(arrive.Split(' ').Order(), _shown);
        Assert.Equal((0, missing), (Messages()[0].MissingBefore, Messages()[^1].MissingBefore));
    }

    /// <summary>What no majority kept when the mailbox was read may be kept later.</summary>
    [Fact]
    public void What_comes_with_a_lower_number_than_a_second_device_began_with_is_late_and_was_never_missing()
    {
        Arrive(5, wholeHistory: false);
        Arrive(8, wholeHistory: false);
        CatchUp();
        GiveUpGaps();
        Assert.Equal(["5", "8"], _shown);
        Arrive(3, wholeHistory: false);
        Arrive(4, wholeHistory: false);
        Arrive(2, text: false, wholeHistory: false);
        Assert.Equal(["5", "8", "3", "4"], _shown);
        Assert.Equal("3 4 5 8", History());
        Assert.Equal([true, true, false, false], Messages().Select(message => message.IsLate));
        Assert.Equal([0, 0, 0, 2], Messages().Select(message => message.MissingBefore));
        Arrive(7, wholeHistory: false);
        Assert.Equal([0, 0, 0, 0, 1], Messages().Select(message => message.MissingBefore));
    }

    /// <summary>An earlier device of ours may have received the beginnings of both.</summary>
    [Fact]
    public void A_second_device_begins_with_the_lowest_number_of_each_of_a_senders_devices()
    {
        foreach (var (seq, epoch) in ((int, uint)[])[(31, 1), (6, 2), (30, 1), (5, 2)])
            Arrive(seq, wholeHistory: false, epoch: epoch);
        Assert.Empty(_shown);
        CatchUp();
        Assert.Equal(["30", "31", "5", "6"], _shown);
        Assert.Empty(_store.Read(ArrivalTable.Held));
        Arrive(2, wholeHistory: false, epoch: 3); // But it was here before this one.
        CatchUp();
        Assert.Equal(1, _store.Read(ArrivalTable.Held)["alice"]);
    }

    [Fact]
    public void Whose_mail_was_not_all_read_begins_later()
    {
        Arrive(5, wholeHistory: false);
        CatchUp("alice");
        Assert.Empty(_shown);
        Arrive(4, wholeHistory: false);
        CatchUp();
        Assert.Equal(["4", "5"], _shown);
    }

    [Fact]
    public void A_gap_of_one_sender_is_given_up_without_those_of_others()
    {
        Arrive(1);
        Arrive(3);
        GiveUpGaps("carol");
        Assert.Equal(["1"], _shown);
    }

    /// <summary>docs/e2e.md, Order: what went to another device of ours is not missing, nor kept quiet.</summary>
    [Fact]
    public void What_may_have_gone_to_another_device_is_told_apart_from_what_is_missing()
    {
        Arrive(1);
        _store.Write(ChainTable.HasBeenAway);
        Arrive(21);
        Arrive(24, toThis: true);
        GiveUpGaps();
        Arrive(27, toThis: true);
        GiveUpGaps();
        Assert.Equal("1 21 24 27", History());
        Assert.Equal([0, 19, 2, 0], Messages().Select(message => message.ElsewhereBefore));
        Assert.Equal([0, 0, 0, 2], Messages().Select(message => message.MissingBefore));
        Arrive(20);
        Arrive(25);
        Assert.Equal([0, 0, 18, 2, 0, 0], Messages().Select(message => message.ElsewhereBefore));
        Assert.Equal([0, 0, 0, 0, 0, 1], Messages().Select(message => message.MissingBefore));
    }

    /// <summary>Behind receipts nothing could say so.</summary>
    [Fact]
    public void What_may_have_gone_to_another_device_before_a_receipt_is_told_at_the_next_message()
    {
        Arrive(1);
        _store.Write(ChainTable.HasBeenAway);
        Arrive(3, text: false);
        Arrive(4, toThis: true);
        GiveUpGaps();
        Assert.Equal((1, 0), (Messages()[^1].ElsewhereBefore, Messages()[^1].MissingBefore));
        Arrive(1, epoch: 2, toThis: true);
        Arrive(3, epoch: 2, toThis: true);
        GiveUpGaps();
        Assert.Equal((0, 1), (Messages()[^1].ElsewhereBefore, Messages()[^1].MissingBefore));
    }

    [Fact]
    public void A_senders_new_device_counts_anew()
    {
        Arrive(1);
        Arrive(2);
        Assert.False(Arrive(1, epoch: 2).Gap);
        Assert.Equal("1 2 1", History());
    }

    private Kept GiveUpGaps(string of = "alice") =>
        Change((db, kept) => ArrivalTable.GiveUpGaps(db, new HashSet<string> { of }, kept));

    private void CatchUp(string but = "") => Change((db, kept) => ArrivalTable.Begin(db, peer => peer != but, kept));

    private Kept Change(Action<SqliteConnection, Kept> change) => Collect(_store.Write(db =>
    {
        var kept = new Kept();
        change(db, kept);
        return kept;
    }));

    private Kept Arrive(
        int seq, bool text = true, bool twin = false, Digest? previous = null, bool wholeHistory = true, uint epoch = 1,
        bool toThis = false)
    {
        var arrival = new Arrival(
            IdOf(seq, epoch, twin), "alice", epoch, (ulong)seq, twin ? BodyOf(100 + seq) : BodyOf(seq),
            previous ?? (seq == 1 ? default : BodyOf(seq - 1)), 1, 0, 0,
            text ? Encoding.UTF8.GetBytes($"{seq}") : null, "")
        {
            IsToThisDevice = toThis,
        };
        return Change((db, kept) => _arrivals.Keep(db, arrival, wholeHistory, 0, kept));
    }

    private Kept Collect(Kept kept)
    {
        _shown.AddRange(kept.Released.Select(id => _store.Read(db => _messages.Find(db, id))!.Text));
        return kept;
    }

    private IReadOnlyList<ChatMessage> Messages() =>
        new History(_store, _messages, new ChangeSignal()).With("alice", 100);

    private string History() => string.Join(' ', Messages().Select(message => message.Text));

    private static string IdOf(int seq, uint epoch = 1, bool twin = false) =>
        $"{epoch:x}{(twin ? 1 : 0):x}{seq:x30}";

    private static Digest BodyOf(int seq) => new(1, (UInt128)seq);
}
