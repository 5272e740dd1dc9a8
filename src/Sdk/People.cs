using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Profiles;

namespace ChordChat.Sdk;

/// <summary>Other people's keys as this profile knows them.</summary>
public sealed class People
{
    private readonly UnlockedProfile _me;
    private readonly KeyBook _keys;

    internal People(UnlockedProfile me, KeyBook keys) => (_me, _keys) = (me, keys);

    /// <exception cref="ChordChatException"><c>unknown_user</c>, <c>key_conflict</c>, <c>unavailable</c>.</exception>
    public Task CheckExistsAsync(string user, CancellationToken cancellation = default) =>
        UserName.IsValid(user) ? _keys.ForSendingAsync(user, cancellation) : throw Failures.BadName(user);

    /// <summary>The number that is the same on both sides if nobody stands between.</summary>
    public async Task<string> SafetyNumberAsync(string user, CancellationToken cancellation = default)
    {
        if (user == _me.User)
            throw new ChordChatException(
                "to_yourself", "a safety number is between two people", "name the other person");
        await CheckExistsAsync(user, cancellation);
        var theirs = await _keys.ForSendingAsync(user, cancellation);
        return SafetyNumber.Of(_me.RequireDevice().Log, theirs).ToString();
    }

    /// <summary>The numbers were compared and are the same.</summary>
    public void MarkVerified(string user) => _keys.MarkVerified(user);

    /// <summary>The notice about a new device or identity was read; sending may go on.</summary>
    public void MarkSeen(string user) => _keys.MarkSeen(user);

    /// <summary>What this profile thinks of somebody's keys; null for strangers.</summary>
    public PinState? KeysOf(string user) => _keys.PinOf(user)?.State;
}
