using System.Threading.Channels;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Sessions;

namespace ChordChat.Sdk;

/// <summary>Turns what sessions report into events.</summary>
internal sealed class EventSink(History history) : IClientSink
{
    private readonly EventQueue _events = new();
    private bool _saidPutAway;

    public ChannelReader<ClientEvent> Events => _events;

    public void Tell(ClientEvent what) => _events.Add(what);

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
        if (kept.PutAwayCount > 0 && !_saidPutAway)
        {
            _saidPutAway = true;
            Tell(new ClientEvent.Notice(
                "some messages from people you never wrote to were dropped: no more than "
                + $"{RequestTable.PerSenderMax} ({RequestTable.PerSenderBytesMax >> 10} KiB) from each of "
                + $"{RequestTable.SendersMax} people can wait"));
        }

        if (kept.MustRenew)
            Tell(new ClientEvent.Copied());
        else if (kept.IsCopied)
            Tell(new ClientEvent.Notice(
                "a contact reports again that this profile is a copy of one that has been used since, although it "
                + "became a new device less than a day ago: if somebody uses the same profile elsewhere, log in anew "
                + "with /logout and 'chordchat login'"));
    }

    public void CaughtUp() => Tell(new ClientEvent.CaughtUp());
}
