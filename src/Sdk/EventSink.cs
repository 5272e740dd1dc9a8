using System.Threading.Channels;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;

namespace ChordChat.Sdk;

/// <summary>Turns what sessions report into events.</summary>
internal sealed class EventSink(History history, UnlockedProfile me, TimeProvider? time = null) : IClientSink
{
    /// <summary>At most so often a line about forks, but for one when the mailbox was read.</summary>
    private static readonly TimeSpan ForksPause = TimeSpan.FromMinutes(1);

    private const int NamesMax = 5;

    private readonly EventQueue _events = new();
    private readonly Dictionary<string, int> _forks = [];
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _turn = new();
    private long? _forksSaidAt;
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
            if (history.Find(id) is { } message && !IsBlocked(message.From))
                Tell(new ClientEvent.Arrived(message));
        Changed(kept.Receipted);
        if (kept.Fork)
            AddForks(kept.Forks);
        if (kept.PutAwayCount > 0 && !_saidPutAway)
        {
            _saidPutAway = true;
            Tell(new ClientEvent.Notice(
                "some messages from people you never wrote to were dropped: at most "
                + $"{RequestTable.PerSenderMax} messages ({RequestTable.PerSenderBytesMax >> 10} KiB) from each of "
                + $"{RequestTable.SendersMax} people can wait"));
        }

        if (kept.MustRenew)
            Tell(new ClientEvent.Copied());
        else if (kept.IsCopied)
            Tell(new ClientEvent.Notice(
                "a contact reports again that this profile is a copy and that the original has been used since, though "
                + "this became a new device less than a day ago: if somebody uses the same profile elsewhere, type "
                + $"/logout and then '{ProfileCommand.Of(me.Profile, $"login {me.User}")}'"));
    }

    public void CaughtUp()
    {
        lock (_turn)
            SayForks();
        Tell(new ClientEvent.CaughtUp());
    }

    /// <summary>It was held back when its sender was blocked.</summary>
    private bool IsBlocked(string sender) => me.Store.Read(db => Circle.IsBlocked(db, sender));

    private void AddForks(Dictionary<string, int> forks)
    {
        lock (_turn)
        {
            foreach (var (sender, count) in forks)
                _forks[sender] = _forks.GetValueOrDefault(sender) + count;
            if (_forksSaidAt is not { } at || _time.GetElapsedTime(at) >= ForksPause)
                SayForks();
        }
    }

    /// <summary>Reports all forks in one line, however many there are, but nothing of strangers, not even a name. Until
    /// it is known who is a stranger, they wait.</summary>
    private void SayForks()
    {
        var (strangers, isKnown) = me.Store.Read(db => (
            _forks.Where(one => RequestTable.IsStrangerHere(db, one.Key)).ToList(), RequestTable.IsCircleKnown(db)));
        foreach (var (stranger, _) in strangers)
            _forks.Remove(stranger);
        SayForksOfOthers();
        if (!isKnown)
            foreach (var (stranger, count) in strangers)
                _forks[stranger] = count;
    }

    private void SayForksOfOthers()
    {
        if (_forks.Count == 0)
            return;
        var names = string.Join(", ", _forks.Keys.Order().Take(NamesMax)) + (_forks.Count > NamesMax ? ", ..." : "");
        var count = _forks.Values.Sum();
        Tell(new ClientEvent.Notice(
            (count == 1
                ? "two different messages have the same number"
                : $"{count:N0} message numbers are used twice")
            + $" (from {names}): they may be using a copy of their profile, or somebody else has their device keys; "
            + "ask them"));
        _forks.Clear();
        _forksSaidAt = _time.GetTimestamp();
    }
}
