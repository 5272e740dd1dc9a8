using System.Text;
using ChordChat.Crypto;
using ChordChat.Crypto.Passwords;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using Xunit;
using Circle = ChordChat.Sdk.Circle;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/operations.md, Limits: what others can make grow in a profile.</summary>
public sealed class ProfileGrowthTests : IDisposable
{
    private readonly LocalStore _store = LocalStore.Open(":memory:");
    private readonly LocalKey _key = LocalKey.New();
    private readonly MessageTable _messages;
    private readonly ArrivalTable _arrivals;

    public ProfileGrowthTests()
    {
        _messages = new MessageTable("bob", _key);
        _arrivals = new ArrivalTable(_messages);
    }

    public void Dispose()
    {
        _store.Dispose();
        _key.Dispose();
    }

    [Fact]
    public void Of_each_sender_so_many_numbers_are_remembered_and_what_comes_below_is_shown_as_late_once()
    {
        const int Last = ArrivalTable.HeardMax + 1_000;
        Arrive(1);
        Arrive(4); // 2 and 3 are missing.
        _store.Write(db => ArrivalTable.GiveUpGaps(db, new HashSet<string> { "alice" }, new Kept()));
        for (var seq = 5; seq <= Last; seq++)
            Arrive(seq, isText: false);
        Assert.InRange(Count("heard"), 1, ArrivalTable.HeardMax + 500);

        Assert.Empty(Arrive(1).Released); // It is known by its own id.
        Assert.Empty(Arrive(6, isText: false).Released);
        Assert.Equal(2, Find(4).MissingBefore); // No receipt that is shown again counts as what is missing.
        Assert.Equal([IdOf(2)], Arrive(2).Released);
        Assert.True(Find(2).IsLate);
        Assert.Empty(Arrive(2).Released);
    }

    [Fact]
    public void Of_a_senders_older_devices_what_was_settled_is_forgotten()
    {
        for (var epoch = 1U; epoch <= 3 * ArrivalTable.DevicesMax; epoch++)
            Arrive(1, epoch: epoch, isText: false);
        Assert.InRange(Count("heard"), ArrivalTable.DevicesMax, ArrivalTable.DevicesMax + 1);
    }

    [Fact]
    public void Pins_of_strangers_make_room_for_one_another_and_never_those_of_others()
    {
        Put("verified", isFirst: false);
        Put("friend", isFirst: true);
        _store.Write(db => Circle.WroteTo(db, "friend"));
        Put("alice", isFirst: true);
        Arrive(1);
        var forgotten = new List<string>();
        for (var i = 0; i < PinTable.StrangersMax + 300; i++)
            forgotten.AddRange(Put($"s{i}", isFirst: true));
        Assert.InRange(Count("pins"), 4, PinTable.StrangersMax + 3);
        Assert.NotEmpty(forgotten);
        Assert.All(forgotten, user => Assert.StartsWith("s", user, StringComparison.Ordinal));
    }

    [Fact]
    public void Long_key_logs_of_strangers_take_so_many_bytes()
    {
        for (var i = 0; i < 20; i++)
            Put($"s{i}", isFirst: true, bytes: 6 << 20);
        Assert.InRange(
            _store.Read(db => db.Scalar<long>("SELECT sum(length(value)) FROM pins")), 1, PinTable.StrangersBytesMax);
    }

    /// <summary>One node makes up both the people and how long their logs become.</summary>
    [Fact]
    public void Pins_of_strangers_that_grow_later_make_room_as_well()
    {
        const int bytes = 1 << 20;
        for (var i = 0; i < 100; i++)
            Put($"s{i}", isFirst: true);
        for (var i = 0; i < 100; i++)
            Put($"s{i}", isFirst: true, bytes);
        Assert.InRange(
            _store.Read(db => db.Scalar<long>("SELECT sum(length(value)) FROM pins")), 32L * bytes, 64L * bytes);
    }

    [Fact]
    public void Whom_nodes_name_as_written_to_has_an_end_and_whom_this_user_writes_to_has_none()
    {
        var circle = new Circle(_store, new ChangeSignal());
        for (var session = 0; session < 8; session++)
        {
            circle.SessionBegins();
            Assert.NotNull(circle.TakeChange());
            var told = new Wire.Circle();
            told.WrittenTo.Add(Enumerable.Range(0, 2_000).Select(i => $"w{session}-{i}"));
            told.Blocked.Add(Enumerable.Range(0, 900).Select(i => $"b{session}-{i}"));
            circle.Take(told);
        }

        Assert.Equal(900, circle.Blocked.Count);
        Assert.InRange(Count("circle"), 2_000, Circle.PeopleMax + 900);
        _store.Write(db => Circle.WroteTo(db, "friend"));
        Assert.Equal(0, _store.Read(db => db.Scalar<long>($"SELECT {RequestTable.IsStranger("'friend'")}")));
    }

    private List<string> Put(string user, bool isFirst, int bytes = 10) =>
        _store.Write(db => PinTable.TryPut(db, user, PinTable.TagOf(db, user), new byte[bytes], isFirst)!);

    private Kept Arrive(int seq, bool isText = true, uint epoch = 1) => _store.Write(db =>
    {
        var kept = new Kept();
        _arrivals.Keep(
            db,
            new Arrival(
                IdOf(seq, epoch), "alice", epoch, (ulong)seq, new Digest(1, (UInt128)seq),
                seq == 1 ? default : new Digest(1, (UInt128)(seq - 1)), 1, 0, 0,
                isText ? Encoding.UTF8.GetBytes($"{seq}") : null, ""),
            wholeHistory: true, 0, kept);
        return kept;
    });

    private ChatMessage Find(int seq) => _store.Read(db => _messages.Find(db, IdOf(seq)))!;

    private long Count(string table) => _store.Read(db => db.Scalar<long>($"SELECT count(*) FROM {table}"));

    private static string IdOf(int seq, uint epoch = 1) => $"{epoch:x2}{seq:x30}";
}
