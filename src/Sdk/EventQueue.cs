using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace ChordChat.Sdk;

/// <summary>Events on their way to one reader. A reader that never reads costs a bounded amount of memory; one that
/// comes too late for some is told so, at the place where they are missing.</summary>
/// <remarks>Safe for threads. The lock is a leaf.</remarks>
internal sealed class EventQueue : ChannelReader<ClientEvent>
{
    /// <summary>Beyond this many, events about messages are left out and <see cref="ClientEvent.LeftOut"/> stands for
    /// them.</summary>
    public const int MessagesMax = 4096;

    /// <summary>Beyond this many, all others but the end are left out as well.</summary>
    public const int AllMax = 2 * MessagesMax;

    private readonly Channel<ClientEvent> _events = Channel.CreateUnbounded<ClientEvent>();
    private readonly Lock _turn = new();
    private bool _saysLeftOut;

    public override Task Completion => _events.Reader.Completion;

    public override bool CanCount => true;

    public override int Count => _events.Reader.Count;

    public void Add(ClientEvent what)
    {
        lock (_turn)
        {
            var max = what is ClientEvent.Arrived or ClientEvent.Changed ? MessagesMax : AllMax;
            var hasRoom = _events.Reader.Count < max && !(_saysLeftOut && max == MessagesMax);
            if (hasRoom || what is ClientEvent.Ended)
                _events.Writer.TryWrite(what);
            else if (!_saysLeftOut)
                _saysLeftOut = _events.Writer.TryWrite(new ClientEvent.LeftOut());
        }
    }

    public override bool TryRead([MaybeNullWhen(false)] out ClientEvent item)
    {
        lock (_turn)
        {
            if (!_events.Reader.TryRead(out item))
                return false;
            if (item is ClientEvent.LeftOut)
                _saysLeftOut = false; // Whatever comes from now on, its reader does not see yet when it looks.
            return true;
        }
    }

    public override bool TryPeek([MaybeNullWhen(false)] out ClientEvent item) =>
        _events.Reader.TryPeek(out item);

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default) =>
        _events.Reader.WaitToReadAsync(cancellationToken);
}
