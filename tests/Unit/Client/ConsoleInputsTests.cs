using System.Threading.Channels;
using ChordChat.Client.Conversation;
using ChordChat.Sdk;
using Xunit;

namespace ChordChat.Tests.Unit.Client;

/// <summary>docs/operations.md, Limits: events that the console has no time for.</summary>
public sealed class ConsoleInputsTests
{
    private readonly EventQueue _events = new();
    private readonly Channel<char> _typed = Channel.CreateUnbounded<char>();
    private readonly ConsoleInputs<char> _inputs;
    private readonly List<string> _done = [];
    private bool _isOver;

    public ConsoleInputsTests() => _inputs = new ConsoleInputs<char>(_typed.Reader, _events);

    /// <summary>As with Ctrl-S, or when ssh stalls.</summary>
    [Fact]
    public async Task While_the_terminal_is_stopped_events_wait_where_they_are_bounded_and_keys_come_first()
    {
        Happen(1);
        await _inputs.WaitAsync(Soon);
        Take();
        Happen(3 * EventQueue.AllMax); // The loop is stuck in a write.
        foreach (var key in "quit")
            _typed.Writer.TryWrite(key);
        _inputs.Add(() => _done.Add("answer"));
        Assert.InRange(_events.Count, EventQueue.AllMax, EventQueue.AllMax + 1);

        _done.Clear();
        await _inputs.WaitAsync(Soon);
        Take();
        Assert.Equal(["answer", "quit"], _done[..2]);
        Assert.Equal(2 + ConsoleInputs.EventsAtOnce, _done.Count);
    }

    [Fact]
    public async Task However_much_happens_keys_wait_for_one_turn_only_and_nothing_is_lost()
    {
        var turns = 0;
        for (; _events.Count > 0 || turns == 0; turns++)
        {
            if (turns < 10)
                Happen(2 * ConsoleInputs.EventsAtOnce);
            _typed.Writer.TryWrite((char)('a' + turns % 26));
            await _inputs.WaitAsync(Soon);
            Take();
        }

        Assert.Equal(20, turns);
        Assert.Equal(turns, _done.Count(what => what != "event"));
        Assert.Equal(10 * 2 * ConsoleInputs.EventsAtOnce, _done.Count(what => what == "event"));
    }

    [Fact]
    public async Task It_wakes_for_each_of_them_and_takes_nothing_more_when_it_is_over()
    {
        var waiting = _inputs.WaitAsync(Soon);
        Assert.False(waiting.IsCompleted);
        _typed.Writer.TryWrite('x');
        await waiting;
        Take();
        waiting = _inputs.WaitAsync(Soon);
        Assert.False(waiting.IsCompleted);
        _inputs.Add(() => _isOver = true);
        Happen(1);
        await waiting;
        Take();
        Assert.Equal(["x"], _done);
        Assert.Equal(1, _events.Count);
    }

    private static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    private void Take() => _inputs.Take(
        () => _isOver, keys => _done.Add(string.Concat(keys)), _ => _done.Add("event"));

    private void Happen(int count)
    {
        for (var i = 0; i < count; i++)
            _events.Add(new ClientEvent.CircleHeard());
    }
}
