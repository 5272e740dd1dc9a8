using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Storage;
using ChordChat.Wire;
using Grpc.Core;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Keys;

/// <summary>Other people's keys: fetched from nodes, believed only as far as the pins allow.</summary>
/// <remarks>docs/e2e.md, Pins. A log that does not extend the pinned one blocks sending for good.</remarks>
internal sealed class KeyBook(UnlockedProfile me, NodeLinks links, Action<ClientEvent> tell)
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(60);

    private readonly Lock _turn = new();
    private readonly Dictionary<string, Known> _known = [];

    private sealed record Known(KeyLog Log, Pin Pin, long CheckedAt);

    /// <summary>The log to seal by: at most a minute old, and nothing is wrong with it.</summary>
    /// <exception cref="ChordChatException"><c>unknown_user</c>, <c>key_conflict</c>, <c>unavailable</c>.</exception>
    public async Task<KeyLog> ForSendingAsync(string user, CancellationToken cancellation)
    {
        var known = Recall(user);
        if (known is null || Environment.TickCount64 - known.CheckedAt > FreshFor.TotalMilliseconds)
            try
            {
                known = await FetchAsync(user, known, cancellation);
            }
            catch (ChordChatException cause) when (known is not null && cause.Code == "unavailable"
                && cause.InnerException is RpcException { StatusCode: not StatusCode.NotFound })
            {
                // No majority shows newer keys: the next device of this user reads what is sealed by these ones, too.
            }

        if (known.Pin.State == PinState.Conflict)
            throw Conflict(user);
        return known.Log;
    }

    /// <summary>As <see cref="ForSendingAsync"/>, from what is known here.</summary>
    /// <returns>Null when a node must be asked first.</returns>
    /// <exception cref="ChordChatException"><c>key_conflict</c>.</exception>
    public KeyLog? FreshForSending(string user)
    {
        var known = Recall(user);
        if (known?.Pin.State == PinState.Conflict)
            throw Conflict(user);
        return known is null || Environment.TickCount64 - known.CheckedAt > FreshFor.TotalMilliseconds
            ? null
            : known.Log;
    }

    /// <summary>The log that contains the entry named in a message, from what is known here.</summary>
    /// <returns>No log when the user's keys are in conflict, or a node must be asked first.</returns>
    public (KeyLog? Log, bool MustAsk) Containing(string user, Crypto.Digest entry)
    {
        if (Recall(user) is not { } known || known.Log.Find(entry) is null)
            return (null, MustAsk: true);
        return (known.Pin.State == PinState.Conflict ? null : known.Log, MustAsk: false);
    }

    /// <summary>Asks a node for the newest log of this user and follows it.</summary>
    public async Task<KeyLog> RefreshAsync(string user, CancellationToken cancellation) =>
        (await FetchAsync(user, Recall(user), cancellation)).Log;

    public Pin? PinOf(string user) => Recall(user)?.Pin;

    /// <summary>The user has compared the safety number.</summary>
    public void MarkVerified(string user)
    {
        if (Recall(user) is { } known)
            Store(known with { Pin = known.Pin.AsVerified() });
    }

    /// <summary>The user has read the notice about changed keys.</summary>
    public void MarkSeen(string user)
    {
        if (Recall(user) is { } known && known.Pin.AsSeen() != known.Pin)
            Store(known with { Pin = known.Pin.AsSeen() });
    }

    /// <summary>Somebody was shown a key that is not ours.</summary>
    public void RaiseConflict(string user)
    {
        if (Recall(user) is not { } known || known.Pin.State == PinState.Conflict)
            return;
        Store(known with { Pin = known.Pin.AsConflict() });
        tell(new ClientEvent.KeysChanged(user, PinState.Conflict));
    }

    private async Task<Known> FetchAsync(string user, Known? known, CancellationToken cancellation)
    {
        Wire.KeyLog reply;
        try
        {
            reply = await links.CallAsync(
                (chat, options) => chat.GetKeyLogAsync(new GetKeyLogRequest { User = user }, options), cancellation);
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.NotFound)
        {
            throw known is null
                ? Failures.UnknownUser(user)
                : Failures.Unavailable($"the keys of {user} are hidden", cause);
        }
        catch (RpcException cause)
        {
            throw Failures.Of(cause, $"the keys of {user} cannot be read");
        }

        var log = Crypto.KeyLogs.KeyLog.Verify(
            me.Cluster, user, reply.Entries.Select(entry => entry.ToByteArray()))
            ?? throw new ChordChatException(
                "bad_keys", $"a node shows keys of {user} that are not signed by {user}",
                "nothing was sent; try another node with --node, and tell the operator");
        return Follow(known, log);
    }

    private Known Follow(Known? known, KeyLog log)
    {
        var now = Environment.TickCount64;
        if (known is null)
            return Store(new Known(log, Pin.FirstSight(log), now));
        if (known.Pin.Follow(log) is not { } next)
            return Store(known with { CheckedAt = now }); // This node is behind; what we know stays true.
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
        me.Store.Write(db => db.Execute(
            "INSERT INTO pins (user, value) VALUES ($1, $2) ON CONFLICT DO UPDATE SET value = excluded.value",
            user, record));
        return known;
    }

    private static ChordChatException Conflict(string user) => new(
        "key_conflict",
        $"somebody showed other keys for {user} than the ones you know; nothing is sent to {user} any more",
        $"ask {user} in person and compare safety numbers; tell the operator of the cluster");
}
