using System.Collections.Concurrent;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using Grpc.Core;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Keys;

/// <summary>Other people's keys: fetched from nodes, believed only as far as the pins allow.</summary>
/// <remarks>docs/e2e.md, Pins. A fork that the pinned identity signed blocks sending for good; a rotated
/// identity blocks it until its user has agreed.</remarks>
internal sealed class KeyBook(UnlockedProfile me, NodeLinks links, Action<ClientEvent> tell)
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(60);

    private readonly KeyQuestions _questions = new(me.Cluster, links, tell);

    /// <summary>Entries that messages name and that are not known: a node that does not show them may be
    /// behind.</summary>
    private readonly ConcurrentDictionary<string, Crypto.Digest> _wanted = [];
    private readonly Lock _turn = new();
    private readonly Dictionary<string, Known> _known = [];
    private readonly HashSet<string> _damaged = [];

    private sealed record Known(KeyLog Log, Pin Pin, long CheckedAt);

    /// <summary>The log to seal by: at most a minute old, and nothing is wrong with it.</summary>
    /// <exception cref="ChordChatException"><c>unknown_user</c>, <c>key_conflict</c>, <c>identity_changed</c>,
    /// <c>unavailable</c>.</exception>
    public async Task<KeyLog> ForSendingAsync(string user, CancellationToken cancellation)
    {
        var known = Recall(user);
        if (known is null || Environment.TickCount64 - known.CheckedAt > FreshFor.TotalMilliseconds)
            try
            {
                (known, _) = await FetchAsync(user, known, cancellation);
            }
            catch (ChordChatException cause) when (known is not null && cause.Code is ("unavailable" or "no_pass")
                && cause.InnerException is RpcException { StatusCode: not StatusCode.NotFound })
            {
                // No majority shows newer keys: the next device of this user reads what is sealed by these ones, too.
            }

        return Sendable(known);
    }

    /// <summary>The log whose identity is compared: also one that nobody has agreed to yet, for comparing is how they
    /// find out.</summary>
    /// <exception cref="ChordChatException">As for sending.</exception>
    public async Task<KeyLog> ForComparingAsync(string user, CancellationToken cancellation)
    {
        try
        {
            return await ForSendingAsync(user, cancellation);
        }
        catch (ChordChatException cause) when (cause.Code == "identity_changed")
        {
            return Recall(user)!.Log;
        }
    }

    /// <summary>As <see cref="ForSendingAsync"/>, from what is known here.</summary>
    /// <returns>Null when a node must be asked first.</returns>
    /// <exception cref="ChordChatException"><c>key_conflict</c>, <c>identity_changed</c>.</exception>
    public KeyLog? FreshForSending(string user)
    {
        var known = Recall(user);
        if (known is not null)
            Sendable(known);
        return known is null || Environment.TickCount64 - known.CheckedAt > FreshFor.TotalMilliseconds
            ? null
            : known.Log;
    }

    /// <summary>The log that contains the entry named in a message, from what is known here; in a conflict that which
    /// was known before it.</summary>
    /// <returns>Null when the user's keys cannot be read, or a node must be asked first.</returns>
    public KeyLog? Containing(string user, Crypto.Digest entry)
    {
        try
        {
            return Recall(user) is { } known && known.Log.Find(entry) is not null ? known.Log : null;
        }
        catch (ChordChatException cause) when (cause.Code == "profile_damaged")
        {
            // One damaged record costs its own chat and no other.
            lock (_turn)
                if (!_damaged.Add(user))
                    return null;
            tell(new ClientEvent.Notice($"the pinned keys of {user} cannot be read: {cause.Message}; {cause.Hint}"));
            return null;
        }
    }

    /// <summary>Whether somebody showed two logs of this user, or another one of ours to them.</summary>
    public bool IsInConflict(string user)
    {
        lock (_turn)
            return _known.TryGetValue(user, out var known) && known.Pin.State == PinState.Conflict;
    }

    /// <summary>Whether an entry is in the log that is known here.</summary>
    public bool Knows(string user, Crypto.Digest entry) => Containing(user, entry) is not null;

    /// <summary>The next look-up is for this entry: a node that does not show it may be behind, and others are asked.
    /// </summary>
    public void Want(string user, Crypto.Digest entry) => _wanted[user] = entry;

    /// <summary>Asks nodes for the newest log of this user and follows it.</summary>
    /// <returns>Whether so many nodes showed one that what is not in it can be believed not to be there.</returns>
    public async Task<bool> RefreshAsync(string user, CancellationToken cancellation) =>
        (await FetchAsync(user, Recall(user), cancellation)).IsOfEnough;

    /// <summary>Our own log, if some node shows one that extends what this device knows.</summary>
    public async Task<KeyLog?> NewestOwnAsync(KeyLog mine, CancellationToken cancellation)
    {
        try
        {
            var answer = await _questions.AskAsync(
                mine.User,
                log => log.Find(mine.Head.Hash) is null ? KeyLogWorth.Behind
                    : log.Head.Seq > mine.Head.Seq ? KeyLogWorth.Take : KeyLogWorth.Behind,
                cancellation);
            return answer.Log;
        }
        catch (ChordChatException)
        {
            return null;
        }
    }

    /// <summary>Somebody who is written to is agreed to beforehand, whatever their identity is.</summary>
    public bool AcceptsNewIdentities { get; set; }

    public Pin? PinOf(string user) => Recall(user)?.Pin;

    /// <summary>The user has compared the safety number.</summary>
    public void MarkVerified(string user)
    {
        if (Recall(user) is { } known)
            Store(known with { Pin = known.Pin.AsVerified() });
    }

    /// <summary>The user has read the notice about a new device.</summary>
    public void MarkSeen(string user)
    {
        if (Recall(user) is { } known && known.Pin.AsSeen() != known.Pin)
            Store(known with { Pin = known.Pin.AsSeen() });
    }

    /// <summary>The user agrees to write to the new identity.</summary>
    public void AcceptIdentity(string user)
    {
        if (Recall(user) is { } known && known.Pin.AsAccepted() != known.Pin)
            Store(known with { Pin = known.Pin.AsAccepted() });
    }

    /// <summary>Somebody was shown a key that is not ours.</summary>
    public void RaiseConflict(string user)
    {
        if (Recall(user) is not { } known || known.Pin.State == PinState.Conflict)
            return;
        Store(known with { Pin = known.Pin.AsConflict() });
        tell(new ClientEvent.KeysChanged(user, PinState.Conflict));
    }

    private async Task<(Known Known, bool IsOfEnough)> FetchAsync(
        string user, Known? known, CancellationToken cancellation)
    {
        try
        {
            var isWanted = _wanted.TryRemove(user, out var wanted);
            var (log, isOfEnough) = await _questions.AskAsync(
                user,
                log => WorthOf(known, log) is var worth && worth == KeyLogWorth.Take && isWanted
                    && log.Head.Hash == known?.Log.Head.Hash && log.Find(wanted) is null ? KeyLogWorth.Behind : worth,
                cancellation);
            return (Follow(known ?? Recall(user), log), isOfEnough);
        }
        catch (ChordChatException cause) when (cause.Code == "unknown_user" && known is not null)
        {
            throw Failures.Unavailable($"the keys of {user} are hidden", cause);
        }
    }

    private static KeyLogWorth WorthOf(Known? known, KeyLog log) =>
        known is null ? KeyLogWorth.Take
        : known.Pin.IsStranger(log) ? KeyLogWorth.NotTheirs
        : log.Head.Seq >= known.Pin.Seq ? KeyLogWorth.Take
        : known.Log.Find(log.Head.Hash) is null ? KeyLogWorth.NotTheirs : KeyLogWorth.Behind;

    /// <param name="log">Null when all nodes are behind what is known.</param>
    private Known Follow(Known? known, KeyLog? log)
    {
        var now = Environment.TickCount64;
        if (known is null)
            return Store(new Known(log!, Pin.FirstSight(log!), now));
        if (log is null || known.Pin.Follow(log) is not { } next)
            return Store(known with { CheckedAt = now }); // What we know stays true.
        if (next.State != known.Pin.State)
            tell(new ClientEvent.KeysChanged(log.User, next.State));
        return Store(new Known(next.State == PinState.Conflict ? known.Log : log, next, now));
    }

    private Known? Recall(string user)
    {
        lock (_turn)
            if (_known.TryGetValue(user, out var known))
                return known;
        var record = me.Store.Read(db => db.Scalar<byte[]>("SELECT value FROM pins WHERE user = $1", user));
        if (record is null)
            return null;
        var (log, pin) = PinRecord.Parse(me.Cluster, user, me.Key.OpenRecord("pin/" + user, record));
        var recalled = new Known(log, pin, CheckedAt: long.MinValue / 2);
        lock (_turn)
            return _known[user] = recalled;
    }

    private Known Store(Known known)
    {
        var user = known.Log.User;
        var before = Recall(user);
        lock (_turn)
            _known[user] = known;
        if (before?.Pin == known.Pin)
            return known;
        var record = me.Key.Seal("pin/" + user, PinRecord.Write(known.Log, known.Pin));
        var isFirst = known.Pin is { State: PinState.New or PinState.DeviceChanged, Verified: false };
        var forgotten = me.Store.Write(db => PinTable.Put(db, user, record, isFirst));
        lock (_turn)
            foreach (var stranger in forgotten)
                _known.Remove(stranger);
        return known;
    }

    private KeyLog Sendable(Known known)
    {
        if (AcceptsNewIdentities)
            AcceptIdentity(known.Log.User);
        return known.Pin.MaySend || (AcceptsNewIdentities && known.Pin.State == PinState.IdentityRotated)
            ? known.Log
            : throw Blocked(known.Pin);
    }

    private static ChordChatException Blocked(Pin pin) => pin.State == PinState.Conflict
        ? new(
            "key_conflict",
            $"somebody showed other keys for {pin.User} than the ones you know; nothing is sent to {pin.User} any more",
            $"ask {pin.User} in person and compare safety numbers; tell the operator of the cluster")
        : new(
            "identity_changed", $"{pin.User} has a new identity; nothing was sent",
            $"compare safety numbers (/verify {pin.User}), then agree with /accept {pin.User} in the console, "
                + "or with --accept-identity in a script");
}
