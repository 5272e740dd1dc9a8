using System.Threading.Channels;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;

namespace ChordChat.Sdk;

/// <summary>Turns what sessions report into events. A reader that never reads costs a bounded amount of
/// memory.</summary>
internal sealed class EventSink(History history) : IClientSink
{
    private readonly Channel<ClientEvent> _events = Channel.CreateBounded<ClientEvent>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropOldest });

    public ChannelReader<ClientEvent> Events => _events.Reader;

    public void Tell(ClientEvent what) => _events.Writer.TryWrite(what);

    public void Changed(IReadOnlyCollection<string> ids)
    {
        foreach (var id in ids)
            if (history.Find(id) is { } message)
                Tell(new ClientEvent.Changed(message));
    }

    public void Take(Kept kept)
    {
        foreach (var id in kept.Released)
            if (history.Find(id) is { } message)
                Tell(new ClientEvent.Arrived(message));
        Changed(kept.Receipted);
        if (kept.Fork)
            Tell(new ClientEvent.Notice(
                "two different messages claim the same place: somebody may use a copy of your contact's device keys"));
    }

    public void CaughtUp() => Tell(new ClientEvent.CaughtUp());
}
