using ChordChat.Crypto;
using ChordChat.Crypto.Messages;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;

namespace ChordChat.Sdk.Sessions;

/// <summary>Looks at what one session pushes, beside its reader: each chat in turn. What cannot be judged because its
/// sender's keys are not known waits for one look-up a sender, again and again with growing pauses, until it is
/// hopeless; what no key of this device opens waits for look-ups of this user's own keys.</summary>
/// <remarks>docs/e2e.md, Receiving and Order. Safe for threads. Locks: the gap watch's, then this one, then those of
/// keys, turns and store.</remarks>
internal sealed class MailJudge(
    Device device, KeyBook keys, Inbox inbox, UnjudgedMail unjudged, GapWatch gaps, ChangeSignal changed,
    IClientSink sink)
{
    /// <summary>How soon a message that did not look genuine is asked for again, and a sender's keys are looked up
    /// again; doubled each time in vain.</summary>
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);

    /// <summary>The same for a message that did not look genuine: the whole mailbox comes again for it, and anybody can
    /// send one after the other.</summary>
    private static readonly TimeSpan LookAgainMax = TimeSpan.FromMinutes(15);

    /// <summary>After so long without one the next is asked for soon again.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromHours(1);

    /// <summary>How many are judged before others get a turn: about 40 ms of opening.</summary>
    private const int AtOnce = 16;

    /// <summary>Pushed bytes that wait for the first look-up of their senders' keys here; what is beyond it comes again
    /// when the keys are known.</summary>
    private const int ParkedBytesMax = 4 << 20;

    /// <summary>People whose keys are looked up in one session. Mail of others waits for the next session; there can be
    /// so many only if a node made them up.</summary>
    private const int SendersMax = UnjudgedMail.CountMax;

    private sealed class Sender
    {
        public List<Unjudged> Parked { get; } = [];

        public Digest Wanted { get; set; }

        /// <summary>Whether a log of theirs is pinned here.</summary>
        public bool IsKnown { get; set; }

        public bool IsAsking { get; set; }

        public long AskedAt { get; set; }

        /// <summary>The next look-up is for what has come since the last one began, and waits for no pause.</summary>
        public bool IsUrgent { get; set; }

        public long DueAt { get; set; }

        public TimeSpan Pause { get; set; } = PauseMin;
    }

    private readonly Digest[] _ownKeys = [.. device.Encryption.Select(key => key.Id)];
    private readonly PushTurns _pushes = new();
    private readonly ChangeSignal _came = new();
    private readonly Lock _turn = new();
    private readonly Dictionary<string, Sender> _senders = [];
    private readonly IncompleteChats _incomplete = new();
    private readonly StrangerLookups _strangers = new();
    private long _parkedBytes;
    private long _lookAgainAt;
    private long _lookedAgainAt;
    private TimeSpan _lookAgainAfter = PauseMin;
    private bool _repeat;

    /// <summary>Before anything is pushed. What waits for a key that this device has, since the login that made it, is
    /// to wait for no look-up.</summary>
    public void SessionBegins()
    {
        if (unjudged.HasAny(device.User, _ownKeys))
            unjudged.Forget(device.User, _ownKeys);
    }

    /// <summary>The reader has got these.</summary>
    public void Take(IReadOnlyList<Push> pushes)
    {
        // What is here already, held back perhaps, takes nothing of its chat's share when it comes again. No message
        // has an id of another length, so only a node that lies pushes one.
        foreach (var push in pushes)
            if (push.Id.Length == EnvelopeId.Bytes && !unjudged.Contains(push) && !inbox.TrySettle(push))
                _pushes.Add(push);
        _came.Raise();
    }

    /// <summary>The whole mailbox has been pushed; that counts once all of it was judged.</summary>
    /// <param name="reading">The newest that was asked for before this reading of it began.</param>
    public void CaughtUp(ulong reading)
    {
        _pushes.CaughtUp(reading);
        _came.Raise();
    }

    /// <summary>Whether the mailbox is to be pushed again now.</summary>
    /// <param name="reading">The number of that reading.</param>
    public bool TakeRepeat(ulong reading)
    {
        lock (_turn)
        {
            var must = _repeat;
            _repeat = false;
            if (must)
                _incomplete.Asked(reading);
            return must;
        }
    }

    /// <summary>What could not be judged before the circle was known can be now.</summary>
    public void LookAgain()
    {
        lock (_turn)
            if (_lookAgainAt != 0)
                (_lookAgainAt, _lookAgainAfter) = (Environment.TickCount64, PauseMin);
        changed.Raise();
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(KeyLookups lookups, CancellationToken cancellation)
    {
        foreach (var (user, entry) in unjudged.Senders())
            lock (_turn)
                _senders[user] = new Sender { Wanted = entry, IsKnown = keys.IsKnown(user) };
        while (true)
        {
            var next = _came.Next;
            while (_pushes.Take(AtOnce) is { Count: > 0 } some)
            {
                Judge(some);
                Ask(lookups);
                cancellation.ThrowIfCancellationRequested();
            }

            CatchUp();
            changed.Raise(); // There may be something to ask for.
            await next.WaitAsync(cancellation);
        }
    }

    /// <summary>Starts what is due.</summary>
    /// <returns>When something is due next; null when nothing is.</returns>
    public TimeSpan? NextDue(KeyLookups lookups)
    {
        Ask(lookups);
        var now = Environment.TickCount64;
        lock (_turn)
        {
            if (_lookAgainAt != 0 && now >= _lookAgainAt)
            {
                (_lookAgainAt, _lookedAgainAt) = (0, now);
                _lookAgainAfter = Longer(_lookAgainAfter, LookAgainMax);
                _repeat = true;
                return TimeSpan.Zero;
            }

            var due = _senders.Values.Where(sender => !sender.IsAsking).Select(sender => sender.DueAt)
                .Append(_lookAgainAt == 0 ? long.MaxValue : _lookAgainAt).Min();
            return due == long.MaxValue ? null : TimeSpan.FromMilliseconds(Math.Max(10, due - now));
        }
    }

    private void Judge(List<Push> pushes)
    {
        var handled = inbox.Handle(device, pushes);
        var later = new List<Unjudged>();
        lock (_turn)
        {
            foreach (var one in handled.MustAsk)
                if (!TryPark(one))
                    later.Add(one);
            foreach (var push in handled.Doubted)
                _incomplete.Add(EnvelopeHeader.ConversationOf(push.Envelope.Span));
            if (handled.Doubted.Count > 0 && _lookAgainAt == 0)
            {
                var now = Environment.TickCount64;
                if (now - _lookedAgainAt >= Calm.TotalMilliseconds)
                    _lookAgainAfter = PauseMin;
                _lookAgainAt = now + (long)_lookAgainAfter.TotalMilliseconds;
            }

            unjudged.Add(later);
        }

        gaps.Look(IsWaiting);
        changed.Raise();
    }

    /// <summary>Whether more mail of this sender waits here, or is to come again because it could not be judged. What
    /// waited for a key that this device has is no more among it: <see cref="SessionBegins"/>.</summary>
    private bool IsWaiting(string user)
    {
        var chat = ChatWith(user);
        lock (_turn)
            return _pushes.Has(chat) || _incomplete.Contains(chat)
                || (_senders.TryGetValue(user, out var sender) && sender.Parked.Count > 0)
                || unjudged.HasReady(user, entry => Knows(user, entry));
    }

    /// <param name="entry">Of somebody's key log, or the id of a key of this user.</param>
    private bool Knows(string user, Digest entry) =>
        user == device.User ? device.Find(entry) is not null : keys.Knows(user, entry);

    private Digest ChatWith(string user) => Conversation.Between(device.Cluster, device.User, user);

    /// <summary>Keeps a message here until the first look-up of its sender's keys is over.</summary>
    private bool TryPark(Unjudged one)
    {
        if (!_senders.TryGetValue(one.From, out var sender))
        {
            if (_senders.Count >= SendersMax)
                return false;
            _senders[one.From] = sender = new Sender { IsKnown = keys.IsKnown(one.From) };
        }

        sender.Wanted = one.Entry;
        if (one.From == device.User)
            Hurry(sender);
        if (sender.DueAt == long.MaxValue)
            sender.DueAt = Environment.TickCount64 + (long)sender.Pause.TotalMilliseconds;
        if (sender.Pause > PauseMin || _parkedBytes + one.Push.Envelope.Length > ParkedBytesMax)
            return false;
        _parkedBytes += one.Push.Envelope.Length;
        sender.Parked.Add(one);
        return true;
    }

    /// <summary>Anybody's mail waits under this user's name. Each new one may be the first for a newer device, whatever
    /// others have sent before: look-ups begin anew, but not more often than once a second.</summary>
    private static void Hurry(Sender sender)
    {
        (sender.IsUrgent, sender.Pause) = (true, PauseMin);
        sender.DueAt = Math.Min(sender.DueAt, NextAfter(sender));
    }

    private static long NextAfter(Sender sender) => sender.AskedAt + (long)PauseMin.TotalMilliseconds;

    /// <summary>All that was pushed until now has been judged or put away.</summary>
    private void CatchUp()
    {
        ulong reading;
        lock (_turn)
        {
            foreach (var chat in _pushes.TakeCut())
                ComeAgain(chat);
            if (_pushes.TakeReading() is not { } ended) // More may have come by now.
                return;
            _incomplete.Read(reading = ended);
        }

        gaps.CaughtUp(reading, IsWaiting);
        sink.CaughtUp();
    }

    private void Ask(KeyLookups lookups)
    {
        lock (_turn)
            foreach (var (user, sender) in Due())
                if (user != device.User && !sender.IsKnown && !_strangers.TryTake(Environment.TickCount64))
                    sender.DueAt = Environment.TickCount64 + (long)PauseMin.TotalMilliseconds;
                else
                {
                    if (user != device.User)
                        keys.Want(user, sender.Wanted);
                    if (lookups.TryLook(user) is { } looking)
                    {
                        (sender.IsUrgent, sender.AskedAt) = (false, Environment.TickCount64);
                        (sender.IsAsking, _) = (true, LookedAsync(user, sender, looking));
                    }
                    else
                        sender.DueAt = Environment.TickCount64 + (long)PauseMin.TotalMilliseconds;
                }
    }

    /// <summary>Who was never looked up, or longest ago, comes first.</summary>
    private List<KeyValuePair<string, Sender>> Due()
    {
        var now = Environment.TickCount64;
        return [.. _senders.Where(one => !one.Value.IsAsking && now >= one.Value.DueAt)
            .OrderBy(one => one.Value.AskedAt)];
    }

    private async Task LookedAsync(string user, Sender sender, Task<KeysShown> looking)
    {
        await Task.Yield(); // Its caller holds the lock.
        var (shown, waiting) = (KeysShown.ByNobody, 1);
        try
        {
            shown = await looking;
            waiting = Look(user, sender, shown);
        }
        finally
        {
            lock (_turn)
            {
                sender.IsKnown |= shown != KeysShown.ByNobody;
                sender.IsAsking = false; // Also when the disk is full: the next look-up tries again.
                waiting += sender.Parked.Count;
                sender.DueAt = sender.IsUrgent ? NextAfter(sender)
                    : waiting == 0 ? long.MaxValue
                    : Environment.TickCount64 + (long)sender.Pause.TotalMilliseconds;
                if (waiting > 0 && !sender.IsUrgent)
                    sender.Pause = Longer(sender.Pause, PauseMax);
                if (waiting == 0 && !sender.IsUrgent && (sender.Pause == PauseMin || user == device.User))
                    _senders.Remove(user);
            }

            _came.Raise();
            changed.Raise();
        }
    }

    /// <returns>How many messages of this sender wait on.</returns>
    private int Look(string user, Sender sender, KeysShown shown)
    {
        var waiting = 1;
        List<string> hopeless = [];
        bool wasParked;
        lock (_turn)
        {
            wasParked = TakeParked(user, sender);
            if (shown != KeysShown.ByNobody)
            {
                (var ready, hopeless, waiting) = unjudged.Looked(
                    user, entry => Knows(user, entry), isTry: shown == KeysShown.ByEnough);
                if (ready > 0)
                    ComeAgain(user == device.User ? null : ChatWith(user));
            }
        }

        if (wasParked)
            gaps.AskAgain(user); // The mailbox may have been read while these were not judged.
        var why = user == device.User ? "is sealed to no key of this user" : $"names no entry of {user}'s key log";
        foreach (var id in hopeless)
            inbox.Drop(id, why);
        if (hopeless.Count > 0 && user != device.User && !inbox.IsStranger(user))
            sink.Tell(new ClientEvent.Notice(Dropped(user, hopeless.Count)));
        return waiting;
    }

    /// <summary>What was parked is judged, or waits in the mailbox.</summary>
    /// <returns>Whether there was anything.</returns>
    private bool TakeParked(string user, Sender sender)
    {
        var known = sender.Parked.ToLookup(one => Knows(user, one.Entry));
        foreach (var one in known[true])
            _pushes.Add(one.Push);
        unjudged.Add([.. known[false]]);
        var count = sender.Parked.Count;
        _parkedBytes -= sender.Parked.Sum(one => one.Push.Envelope.Length);
        sender.Parked.Clear();
        return count > 0;
    }

    private void ComeAgain(Digest? chat)
    {
        _incomplete.Add(chat);
        _repeat = true;
    }

    /// <returns>The line that the user sees.</returns>
    internal static string Dropped(string user, int count) =>
        (count == 1
            ? $"1 message from {user} could not be verified and was dropped"
            : $"{count} messages from {user} could not be verified and were dropped")
        + $"; ask {user} to send again what is missing";

    private static TimeSpan Longer(TimeSpan pause, TimeSpan most) => pause * 2 < most ? pause * 2 : most;
}
