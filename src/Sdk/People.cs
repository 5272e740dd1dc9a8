using System.Collections.Concurrent;
using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;

namespace ChordChat.Sdk;

/// <summary>Other people's keys as this profile knows them.</summary>
public sealed class People
{
    private readonly UnlockedProfile _me;
    private readonly KeyBook _keys;
    private readonly ChangeSignal _changed;

    /// <summary>The safety numbers that were shown, by name.</summary>
    private readonly ConcurrentDictionary<string, string> _numbers = [];

    internal People(UnlockedProfile me, KeyBook keys, ChangeSignal changed) =>
        (_me, _keys, _changed) = (me, keys, changed);

    /// <exception cref="ChordChatException"><c>unknown_user</c>, <c>key_conflict</c>, <c>unavailable</c>.</exception>
    public Task CheckExistsAsync(string user, CancellationToken cancellation = default) =>
        UserName.IsValid(user) ? _keys.ForSendingAsync(user, cancellation) : throw Failures.BadName(user);

    /// <summary>Whether nodes say that nobody has this name; false also when nobody can tell now.</summary>
    public async Task<bool> IsNobodyAsync(string user, CancellationToken cancellation = default)
    {
        try
        {
            await CheckExistsAsync(user, cancellation);
            return false;
        }
        catch (ChordChatException cause)
        {
            return cause.Code == "unknown_user";
        }
    }

    /// <summary>Why nothing was done about a name that nobody has.</summary>
    public static ChordChatException Nobody(string user)
    {
        var unknown = Failures.UnknownUser(user);
        return new ChordChatException(unknown.Code, $"{unknown.Message}; nothing was changed", unknown.Hint);
    }

    /// <summary>The number that is the same on both sides if nobody stands between.</summary>
    public async Task<string> SafetyNumberAsync(string user, CancellationToken cancellation = default)
    {
        if (user == _me.User)
            throw new ChordChatException(
                "to_yourself", "a safety number is between two people", "name the other person");
        if (!UserName.IsValid(user))
            throw Failures.BadName(user);
        var theirs = await _keys.ForComparingAsync(user, cancellation);
        return _numbers[user] = NumberWith(theirs);
    }

    /// <summary>The number that this program showed last; null if it showed none. A user who compares a number has
    /// compared this one and no other.</summary>
    public string? NumberShown(string user) => _numbers.GetValueOrDefault(user);

    /// <summary>The numbers were compared and are the same.</summary>
    /// <returns>False if the number is another one by now.</returns>
    public bool MarkVerified(string user, string number)
    {
        var isVerified = _keys.MarkVerified(user, theirs => NumberWith(theirs) == number);
        _changed.Raise();
        return isVerified;
    }

    private string NumberWith(KeyLog theirs) => SafetyNumber.Of(_me.RequireDevice().Log, theirs).ToString();

    /// <summary>The notice about a new device was read.</summary>
    public void MarkSeen(string user) => _keys.MarkSeen(user);

    /// <summary>Whether somebody has a new identity that this user has not agreed to; nothing is sent until then.
    /// </summary>
    public bool HasNewIdentity(string user) => KeysOf(user) == PinState.IdentityRotated;

    /// <summary>Whether whoever is written to is agreed to beforehand, whatever their identity is now.</summary>
    public bool AcceptsNewIdentities { set => _keys.AcceptsNewIdentities = value; }

    /// <summary>Agrees to write to the new identity; messages that waited go out.</summary>
    public void AcceptIdentity(string user)
    {
        _keys.AcceptIdentity(user);
        _changed.Raise();
    }

    /// <summary>What this profile thinks of somebody's keys; null for strangers.</summary>
    public PinState? KeysOf(string user) => _keys.PinOf(user)?.State;
}
