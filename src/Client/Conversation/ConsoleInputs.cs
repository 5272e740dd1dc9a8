using System.Threading.Channels;
using ChordChat.Sdk;

namespace ChordChat.Client.Conversation;

/// <summary>How much of what waits is done in one turn.</summary>
internal static class ConsoleInputs
{
    /// <summary>Keys, or lines.</summary>
    public const int TypedAtOnce = 4096;

    public const int EventsAtOnce = 64;
}

/// <summary>What the console's loop has to do, in turns: what was asked for, what was typed, some of what
/// happened.</summary>
/// <remarks>What happens waits in the client's queue, which is bounded, until the loop has time: a terminal that is
/// stopped, or a slow one, costs no more memory. Keys wait for the events of one turn at most. One loop waits and
/// takes; <see cref="Add"/> is safe for threads.</remarks>
internal sealed class ConsoleInputs<T>(ChannelReader<T> typed, ChannelReader<ClientEvent> events)
{
    private readonly Channel<Action> _asked = Channel.CreateUnbounded<Action>();
    private readonly Task<bool>?[] _waits = new Task<bool>?[3];

    /// <summary>Something that the loop itself, or the person, asked for.</summary>
    public void Add(Action then) => _asked.Writer.TryWrite(then);

    /// <summary>Waits until there may be something to take.</summary>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        Task[] all =
        [
            _waits[0] ??= _asked.Reader.WaitToReadAsync(CancellationToken.None).AsTask(),
            _waits[1] ??= typed.WaitToReadAsync(CancellationToken.None).AsTask(),
            _waits[2] ??= events.WaitToReadAsync(CancellationToken.None).AsTask(),
        ];
        await Task.WhenAny(all).WaitAsync(cancellation);
        for (var i = 0; i < _waits.Length; i++)
            if (_waits[i]!.IsCompleted)
                _waits[i] = null;
    }

    /// <summary>One turn.</summary>
    /// <param name="isOver">Then the rest stays where it is.</param>
    public void Take(Func<bool> isOver, Action<IReadOnlyList<T>> onTyped, Action<ClientEvent> on)
    {
        while (!isOver() && _asked.Reader.TryRead(out var then))
            then();
        var some = new List<T>();
        while (!isOver() && some.Count < ConsoleInputs.TypedAtOnce && typed.TryRead(out var one))
            some.Add(one);
        if (some.Count > 0)
            onTyped(some);
        for (var i = 0; i < ConsoleInputs.EventsAtOnce && !isOver() && events.TryRead(out var happened); i++)
            on(happened);
    }
}
