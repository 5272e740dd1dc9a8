using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Storage;
using Xunit;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Receiving: Requests. What strangers can make a profile keep is bounded.</summary>
public sealed class RequestTableTests : IDisposable
{
    private readonly LocalStore _store = LocalStore.Open(":memory:");
    private readonly LocalKey _key = LocalKey.New();
    private readonly MessageTable _messages;
    private long _now;

    public RequestTableTests()
    {
        _messages = new MessageTable("bob", _key);
        _store.Write(RequestTable.SetCircleKnown);
    }

    public void Dispose()
    {
        _store.Dispose();
        _key.Dispose();
    }

    [Fact]
    public void Of_one_stranger_so_many_wait_and_the_next_one_shown_says_what_is_missing()
    {
        for (var seq = 1; seq <= RequestTable.PerSenderMax; seq++)
            Assert.Equal(0, Arrive("alice", seq).PutAwayCount);
        var more = Arrive("alice", RequestTable.PerSenderMax + 1);
        Assert.Equal((1, 0), (more.PutAwayCount, more.Later.Count));
        Assert.Equal(IdOf("alice", RequestTable.PerSenderMax + 1), Assert.Single(more.Settled));
        Assert.Equal(RequestTable.PerSenderMax, Assert.Single(Requests()).Count);

        _store.Write(db => ChordChat.Sdk.Circle.WroteTo(db, "alice"));
        Arrive("alice", RequestTable.PerSenderMax + 2);
        _store.Write(db => ArrivalTable.GiveUpGaps(db, new HashSet<string> { "alice" }, new Kept()));
        var last = _store.Read(db => _messages.Unread(db, 1_000, withRequests: false, readSince: null))[^1];
        Assert.Equal(1, last.MissingBefore);
    }

    [Fact]
    public void Of_one_stranger_so_many_bytes_wait()
    {
        var text = new string('x', RequestTable.PerSenderBytesMax / 4);
        Assert.Equal([0, 0, 0, 1], Enumerable.Range(1, 4).Select(seq => Arrive("alice", seq, text).PutAwayCount));
    }

    [Fact]
    public void What_was_shown_does_not_count()
    {
        for (var seq = 1; seq <= 3 * RequestTable.PerSenderMax; seq++)
        {
            Assert.Equal(0, Arrive("alice", seq).PutAwayCount);
            _store.Write(db => MessageTable.MarkPrinted(db, IdOf("alice", seq)));
        }
    }

    [Fact]
    public void Of_too_many_strangers_the_one_who_has_been_silent_longest_gives_way()
    {
        for (var i = 0; i < RequestTable.SendersMax; i++)
            Arrive($"s{i}", 1);
        Arrive("s0", 2);
        Assert.Equal(1, Arrive("new", 1).PutAwayCount);
        var names = Requests().Select(request => request.From).ToList();
        Assert.Equal(RequestTable.SendersMax, names.Count);
        Assert.DoesNotContain("s1", names);
        Assert.Contains("s0", names);
        Assert.Contains("new", names);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_the_one_who_gave_way_sends_next_says_what_is_missing(bool isBegun)
    {
        // A second device: the first one had read 1 to 4.
        Arrive("s0", 5, wholeHistory: false);
        Arrive("s0", 6, wholeHistory: false);
        if (isBegun)
            _store.Write(db => ArrivalTable.Begin(db, _ => true, new Kept()));
        for (var i = 1; i < RequestTable.SendersMax; i++)
            Arrive($"s{i}", 1);
        var kept = Arrive("new", 1);
        Assert.Equal(2, kept.PutAwayCount);
        Assert.Equal([IdOf("s0", 5), IdOf("s0", 6)], kept.Settled.Where(id => id != IdOf("new", 1)).Order());
        Assert.Empty(_store.Read(ArrivalTable.Held));

        _store.Write(db => ChordChat.Sdk.Circle.WroteTo(db, "s0"));
        Arrive("s0", 8, wholeHistory: false);
        _store.Write(db => ArrivalTable.GiveUpGaps(db, new HashSet<string> { "s0" }, new Kept()));
        var next = Assert.Single(_store.Read(db => _messages.Unread(db, 1_000, withRequests: false, readSince: null)));
        Assert.Equal((IdOf("s0", 8), 3), (next.Id, next.MissingBefore));
    }

    [Fact]
    public void What_was_said_to_be_missing_before_somebody_gave_way_is_not_said_again()
    {
        foreach (var seq in (int[])[1, 3, 5])
            Arrive("s0", seq);
        _store.Write(db => ArrivalTable.GiveUpGaps(db, new HashSet<string> { "s0" }, new Kept()));
        _store.Write(db => MessageTable.MarkPrinted(db, IdOf("s0", 1)));
        _store.Write(db => MessageTable.MarkPrinted(db, IdOf("s0", 3)));
        for (var i = 1; i <= RequestTable.SendersMax; i++)
            Arrive($"s{i}", 1);
        Arrive("s0", 6);
        _store.Write(db => ArrivalTable.GiveUpGaps(db, new HashSet<string> { "s0" }, new Kept()));
        var shown = _store.Read(db => _messages.History(db, "s0", 10));
        Assert.Equal([0, 1, 2], shown.Select(message => message.MissingBefore)); // 2; then 4 and 5.
    }

    [Fact]
    public void A_receipt_of_a_stranger_is_not_kept_and_one_of_a_friend_is()
    {
        Assert.Single(Arrive("alice", 1, text: null).Settled);
        Assert.False(_store.Read(db => ArrivalTable.IsKnown(db, IdOf("alice", 1))));
        _store.Write(db => ChordChat.Sdk.Circle.WroteTo(db, "alice"));
        Arrive("alice", 1, text: null);
        Assert.True(_store.Read(db => ArrivalTable.IsKnown(db, IdOf("alice", 1))));
    }

    [Fact]
    public void Before_it_is_known_who_is_a_stranger_nothing_is_put_away()
    {
        _store.Write(RequestTable.ForgetCircle);
        const int Max = RequestTable.UnknownFactor * RequestTable.PerSenderMax;
        for (var seq = 1; seq <= Max; seq++)
            Assert.Empty(Arrive("alice", seq).Later);
        var later = Arrive("alice", Max + 1);
        Assert.Equal((0, 1, 0), (later.PutAwayCount, later.Later.Count, later.Settled.Count));
        Arrive("carol", 1, text: null);
        Assert.True(_store.Read(db => ArrivalTable.IsKnown(db, IdOf("carol", 1))));
    }

    private List<ChatRequest> Requests() => _store.Read(_messages.Requests);

    private Kept Arrive(
        string from, int seq, string? text = "hi", bool wholeHistory = true) => _store.Write(db =>
    {
        var kept = new Kept();
        var arrival = new Arrival(
            IdOf(from, seq), from, 1, (ulong)seq, new Digest(1, (UInt128)seq), default, 1, 0, 0,
            text is null ? null : Encoding.UTF8.GetBytes(text), "");
        if (RequestTable.Admit(db, arrival, kept))
            new ArrivalTable(_messages).Keep(db, arrival, wholeHistory, _now++, kept);
        return kept;
    });

    private static string IdOf(string from, int seq) =>
        Convert.ToHexStringLower(Encoding.ASCII.GetBytes(from)) + $"{seq:x8}";
}
