using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;
using ChordChat.Sdk.Storage;
using Xunit;
using Circle = ChordChat.Sdk.Circle;

namespace ChordChat.Tests.Unit.Sdk;

/// <summary>docs/e2e.md, Receiving: Blocked. What a client makes of what nodes say of its user's circle.</summary>
public sealed class OwnCircleTests : IDisposable
{
    private readonly LocalStore _store = LocalStore.Open(":memory:");
    private readonly Circle _circle;

    public OwnCircleTests()
    {
        _circle = new Circle(_store, new ChangeSignal());
        _circle.SessionBegins();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Where_nodes_take_no_more_blocked_names_it_is_known_once_they_have_said_whom_they_know()
    {
        _circle.Block("mallory");
        _store.Write(db => Circle.WroteTo(db, "alice"));
        Assert.Equal(["mallory"], _circle.TakeChange()!.Block);
        Assert.NotNull(_circle.Take(new Wire.Circle { Code = "full" }));
        Assert.False(_circle.IsKnown);

        var rest = _circle.TakeChange()!;
        Assert.Empty(rest.Block);
        Assert.Equal(["alice"], rest.WroteTo);
        Assert.Null(_circle.Take(new Wire.Circle { WrittenTo = { "alice", "carol" }, Blocked = { "eve" } }));
        Assert.True(_circle.IsKnown);
        Assert.Equal(0, _store.Read(db => db.Scalar<long>($"SELECT {RequestTable.IsStranger("'carol'")}")));
        Assert.Equal(["eve", "mallory"], _circle.Blocked);
        Assert.True(_circle.IsTold);
        Assert.Null(_circle.TakeChange());
    }

    /// <summary>`chordchat accept` waits for it.</summary>
    [Fact]
    public void Nodes_know_of_somebody_only_once_they_have_taken_that_they_are_accepted()
    {
        _circle.Accept("alice");
        Assert.False(_circle.IsTold);
        Assert.False(_circle.IsToldOf("alice"));
        Assert.True(_circle.IsToldOf("bob"));
        Assert.Equal(["alice"], _circle.TakeChange()!.WroteTo);
        Assert.Null(_circle.Take(new Wire.Circle { WrittenTo = { "alice" } }));
        Assert.True(_circle.IsToldOf("alice"));
        Assert.True(_circle.IsTold);
    }

    /// <summary>Nodes that lose the circle are told all of it once; if that did not help, from time to time.</summary>
    [Fact]
    public void A_circle_that_nodes_lose_again_and_again_is_told_once_and_then_ever_more_rarely()
    {
        var time = new TurnedClock();
        var circle = new Circle(_store, new ChangeSignal(), time);
        circle.Block("mallory");
        var told = 0;
        var notices = new List<string?>();
        for (var second = 0; second < 3_600; second++, time.Now += TimeSpan.FromSeconds(1))
        {
            if (second % 600 == 0)
                circle.SessionBegins();
            while (circle.TakeChange() is { } change)
            {
                Assert.True(++told < 40, "it is told again and again");
                if (told != 2) // The question whether all is there now.
                    Assert.Equal(["mallory"], change.Block);
                notices.Add(circle.Take(new Wire.Circle { Code = "damaged" }));
            }
        }

        Assert.Single(notices.OfType<string>());
        Assert.Equal(["mallory"], circle.Blocked);
        time.Now += TimeSpan.FromMinutes(10);
        Assert.NotNull(circle.TakeChange());
        Assert.Null(circle.Take(new Wire.Circle { Blocked = { "mallory" } }));
        Assert.Null(circle.TakeChange());
        Assert.True(circle.IsTold);
    }

    /// <summary>On a new device a block that nodes were told of may have been lifted on the one before.</summary>
    [Fact]
    public void A_circle_that_nodes_cannot_read_decides_nothing()
    {
        _circle.Block("mallory");
        Assert.NotNull(_circle.TakeChange());
        Assert.Null(_circle.Take(new Wire.Circle { Blocked = { "mallory" } }));
        _store.Write(RequestTable.ForgetCircle); // A new device is here.
        _circle.SessionBegins();
        Assert.False(IsCertainlyBlocked("mallory"));

        Assert.NotNull(_circle.TakeChange());
        Assert.Null(_circle.Take(new Wire.Circle { Code = "damaged" }));

        Assert.False(_circle.IsKnown);
        Assert.False(IsCertainlyBlocked("mallory"));
        Assert.Equal(["mallory"], _circle.Blocked);
        Assert.Null(IsCertainlyBlocked("alice"));
        Assert.False(_circle.IsTold);
        Assert.Equal(["mallory"], _circle.TakeChange()!.Block);
        Assert.Null(_circle.Take(new Wire.Circle { Blocked = { "mallory" } }));
        Assert.True(_circle.IsKnown);
        Assert.True(IsCertainlyBlocked("mallory"));
    }

    /// <summary>What it knows without nodes holds.</summary>
    [Fact]
    public void A_block_that_nodes_were_not_told_of_is_certain_although_they_cannot_read_the_circle()
    {
        _circle.Block("mallory");
        Assert.NotNull(_circle.TakeChange());
        Assert.Null(_circle.Take(new Wire.Circle { Code = "damaged" }));
        _circle.Block("eve");
        Assert.True(IsCertainlyBlocked("eve"));
    }

    /// <summary>docs/protocol.md, Circle: a question writes nothing, so what could not be read is there still.
    /// </summary>
    [Fact]
    public void That_a_question_found_a_damaged_circle_is_no_second_loss()
    {
        _circle.Block("mallory");
        Assert.NotNull(_circle.TakeChange());
        Assert.Null(_circle.Take(new Wire.Circle { Blocked = { "mallory" } }));
        _circle.SessionBegins();
        Assert.Equal(0, _circle.TakeChange()!.CalculateSize());
        Assert.Null(_circle.Take(new Wire.Circle { Code = "damaged" }));
        Assert.Equal(["mallory"], _circle.TakeChange()!.Block);
        Assert.Null(_circle.Take(new Wire.Circle { Code = "damaged" })); // The change has replaced it.
        Assert.True(_circle.IsTold);
        Assert.Null(_circle.TakeChange());
        Assert.Equal(["mallory"], _circle.Blocked);
    }

    /// <summary>Nothing has to be told: it is replaced, and asked for, all the same.</summary>
    [Fact]
    public void A_device_that_has_nothing_to_tell_replaces_a_circle_that_nodes_could_not_read()
    {
        Assert.Equal(0, _circle.TakeChange()!.CalculateSize());
        Assert.Null(_circle.Take(new Wire.Circle { Code = "damaged" }));
        Assert.False(_circle.IsKnown);
        Assert.Equal([""], _circle.TakeChange()!.Unblock);
        Assert.Null(_circle.Take(new Wire.Circle { Code = "damaged" }));
        Assert.Equal(0, _circle.TakeChange()!.CalculateSize());
        Assert.Null(_circle.Take(new Wire.Circle()));
        Assert.True(_circle.IsKnown);
        Assert.Null(_circle.TakeChange());
    }

    private bool? IsCertainlyBlocked(string user) => _store.Read(db => Circle.IsCertainlyBlocked(db, user));

    private sealed class TurnedClock : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }

    [Theory]
    [InlineData("full")]
    [InlineData("unavailable")]
    [InlineData("a code of a later version")]
    public void An_answer_that_says_nothing_is_asked_for_again_later(string code)
    {
        Assert.NotNull(_circle.TakeChange());
        Assert.Null(_circle.Take(new Wire.Circle { Code = code }));
        Assert.False(_circle.IsKnown);
        Assert.Null(_circle.TakeChange());
    }
}
