using System.Collections.Concurrent;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using Grpc.Core;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Keys;

/// <summary>Other people's keys: fetched from nodes, believed only as far as the pins allow.</summary>
/// <remarks>docs/e2e.md, Pins. A fork that the pinned identity signed blocks sending for good; a rotated identity
/// blocks it until its user has agreed. Every change starts from what is stored at that moment: look-ups, the user's
/// commands, arriving mail and other programs that use this profile change pins at the same time.</remarks>
internal sealed class KeyBook(UnlockedProfile me, IKeyQuestions questions, Action<ClientEvent> tell)
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(60);

    private readonly PinBook _pins = new(me);

    /// <summary>Entries that messages name and that are not known: a node that does not show them may be
    /// behind.</summary>
    private readonly ConcurrentDictionary<string, Crypto.Digest> _wanted = [];
    private readonly Lock _turn = new();
    private readonly HashSet<string> _damaged = [];

    /// <summary>The log to seal by: at most a minute old, and nothing is wrong with it.</summary>
    /// <exception cref="ChordChatException"><c>unknown_user</c>, <c>key_conflict</c>, <c>identity_changed</c>,
    /// <c>unavailable</c>.</exception>
    public async Task<KeyLog> ForSendingAsync(string user, CancellationToken cancellation)
    {
        var known = _pins.Find(user);
        if (known is null || Environment.TickCount64 - known.CheckedAt > FreshFor.TotalMilliseconds)
            try
            {
                (known, _) = await FetchAsync(user, known, cancellation);
            }
            catch (ChordChatException cause) when (known is not null && cause.Code is ("unavailable" or "no_pass")
                && cause.InnerException is RpcException { StatusCode: not StatusCode.NotFound })
            {
                // No majority shows newer keys: the next device of this user reads what is sealed by these ones, too.
                known = _pins.Find(user) ?? known;
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
            return _pins.Find(user)!.Log;
        }
    }

    /// <summary>As <see cref="ForSendingAsync"/>, from what is known here.</summary>
    /// <returns>Null when a node must be asked first.</returns>
    /// <exception cref="ChordChatException"><c>key_conflict</c>, <c>identity_changed</c>.</exception>
    public KeyLog? FreshForSending(string user)
    {
        if (_pins.Find(user) is not { } known)
            return null;
        var log = Sendable(known);
        return Environment.TickCount64 - known.CheckedAt > FreshFor.TotalMilliseconds ? null : log;
    }

    /// <summary>The log that contains the entry named in a message, from what is known here; in a conflict that which
    /// was known before it.</summary>
    /// <returns>Null when the user's keys cannot be read, or a node must be asked first.</returns>
    public KeyLog? Containing(string user, Crypto.Digest entry) =>
        TryFind(user) is { } known && known.Log.Find(entry) is not null ? known.Log : null;

    private Pinned? TryFind(string user)
    {
        try
        {
            return _pins.Find(user);
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
    public bool IsInConflict(string user) => TryFind(user) is { Pin.State: PinState.Conflict };

    /// <summary>Whether a log of this user is known here.</summary>
    public bool IsKnown(string user) => TryFind(user) is not null;

    /// <summary>Whether an entry is in the log that is known here.</summary>
    public bool Knows(string user, Crypto.Digest entry) => Containing(user, entry) is not null;

    /// <summary>The next look-up is for this entry: a node that does not show it may be behind, and others are asked.
    /// </summary>
    public void Want(string user, Crypto.Digest entry) => _wanted[user] = entry;

    /// <summary>Asks nodes for the newest log of this user and follows it.</summary>
    /// <returns>Whether so many nodes showed one that what is not in it can be believed not to be there.</returns>
    public async Task<bool> RefreshAsync(string user, CancellationToken cancellation) =>
        (await FetchAsync(user, _pins.Find(user), cancellation)).IsOfEnough;

    /// <summary>Our own log, if some node shows one that extends what this device knows.</summary>
    public async Task<KeyLog?> NewestOwnAsync(KeyLog mine, CancellationToken cancellation)
    {
        try
        {
            return (await AskOwnAsync(mine, cancellation)).Log;
        }
        catch (ChordChatException)
        {
            return null;
        }
    }

    /// <summary>As <see cref="NewestOwnAsync"/>, and says whether so many nodes showed no longer one that there can be
    /// none.</summary>
    /// <exception cref="ChordChatException">No node shows any.</exception>
    public Task<KeyAnswer> AskOwnAsync(KeyLog mine, CancellationToken cancellation) => questions.AskAsync(
        mine.User,
        log => log.Find(mine.Head.Hash) is null ? KeyLogWorth.Behind
            : log.Head.Seq > mine.Head.Seq ? KeyLogWorth.Take : KeyLogWorth.Behind,
        cancellation);

    /// <summary>Somebody who is written to is agreed to beforehand, whatever their identity is.</summary>
    public bool AcceptsNewIdentities { get; set; }

    public Pin? PinOf(string user) => _pins.Find(user)?.Pin;

    /// <summary>The user has compared the safety number.</summary>
    /// <param name="isCompared">Whether the number that was compared is that of this log.</param>
    /// <returns>False if the identity is another one by now: that one was not compared.</returns>
    public bool MarkVerified(string user, Func<KeyLog, bool> isCompared)
    {
        var isSame = false;
        return Change(user, known => (isSame = isCompared(known.Log)) ? known.Pin.AsVerified() : known.Pin)
            is { Pin.Verified: true } && isSame;
    }

    /// <summary>The user has read the notice about a new device.</summary>
    public void MarkSeen(string user) => Change(user, known => known.Pin.AsSeen());

    /// <summary>The user agrees to write to the new identity.</summary>
    public void AcceptIdentity(string user) => Change(user, known => known.Pin.AsAccepted());

    /// <summary>Somebody was shown a key that is not ours.</summary>
    public void RaiseConflict(string user)
    {
        var was = PinState.Conflict;
        Change(user, known =>
        {
            was = known.Pin.State;
            return known.Pin.AsConflict();
        });
        if (was != PinState.Conflict)
            tell(new ClientEvent.KeysChanged(user, PinState.Conflict));
    }

    /// <returns>What is stored then; null if nobody is pinned under this name.</returns>
    private Pinned? Change(string user, Func<Pinned, Pin> next) =>
        _pins.Change(user, known => known is null ? null : known with { Pin = next(known) });

    private async Task<(Pinned Known, bool IsOfEnough)> FetchAsync(
        string user, Pinned? known, CancellationToken cancellation)
    {
        try
        {
            var isWanted = _wanted.TryRemove(user, out var wanted);
            var (log, isOfEnough) = await questions.AskAsync(
                user,
                log => WorthOf(known, log) is var worth && worth == KeyLogWorth.Take && isWanted
                    && log.Head.Hash == known?.Log.Head.Hash && log.Find(wanted) is null ? KeyLogWorth.Behind : worth,
                cancellation);
            return (Follow(user, known, log), isOfEnough);
        }
        catch (ChordChatException cause) when (cause.Code == "unknown_user" && known is not null)
        {
            throw Failures.Unavailable($"the keys of {user} are hidden", cause);
        }
    }

    private static KeyLogWorth WorthOf(Pinned? known, KeyLog log) =>
        known is null ? KeyLogWorth.Take
        : known.Pin.IsStranger(log) ? KeyLogWorth.NotTheirs
        : log.Head.Seq >= known.Pin.Seq ? KeyLogWorth.Take
        : known.Log.Find(log.Head.Hash) is null ? KeyLogWorth.NotTheirs : KeyLogWorth.Behind;

    /// <summary>Follows a log from what is stored now, whatever was stored when nodes were asked.</summary>
    /// <param name="asked">What was known then; used if that pin has been dropped since to make room.</param>
    /// <param name="log">Null when all nodes are behind what is known.</param>
    private Pinned Follow(string user, Pinned? asked, KeyLog? log)
    {
        PinState? was = null;
        var followed = _pins.Change(user, stored =>
        {
            var known = stored ?? asked;
            was = known?.Pin.State;
            return Followed(known, log);
        })!;
        if (was is { } before && before != followed.Pin.State
            && !me.Store.Read(db => RequestTable.IsStrangerHere(db, user)))
            tell(new ClientEvent.KeysChanged(user, followed.Pin.State));
        return followed;
    }

    private static Pinned Followed(Pinned? known, KeyLog? log)
    {
        var now = Environment.TickCount64;
        if (known is null)
            return new Pinned(log!, Pin.FirstSight(log!), now);
        if (log is null || known.Pin.Follow(log) is not { } next)
            return known with { CheckedAt = now }; // What we know stays true.
        return new Pinned(next.Entry == log.Head.Hash ? log : known.Log, next, now);
    }

    private KeyLog Sendable(Pinned known)
    {
        if (AcceptsNewIdentities && known.Pin.State == PinState.IdentityRotated)
            known = Change(known.Log.User, now => now.Pin.AsAccepted()) ?? known;
        return known.Pin.MaySend ? known.Log : throw Blocked(known.Pin);
    }

    private static ChordChatException Blocked(Pin pin) => pin.State == PinState.Conflict
        ? new(
            "key_conflict",
            $"somebody showed other keys for {pin.User} than the ones you know; nothing is sent to {pin.User} any more",
            $"tell {pin.User} in person and the operator of the cluster; no command clears this")
        : new(
            "identity_changed", $"{pin.User} has a new identity; nothing was sent",
            $"compare safety numbers (/verify {pin.User}), then agree with /accept {pin.User} in the console, "
                + "or with --accept-identity in a script");
}
