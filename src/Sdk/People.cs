using ChordChat.Crypto;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Sdk;

/// <param name="Since">When they came online; null when offline or not known.</param>
public sealed record Presence(string User, bool Online, DateTimeOffset? Since, string Node);

/// <param name="Tile">Prefix in hex and its length in bits, as in "5a/7".</param>
/// <param name="Members">Names of the nodes that keep the mailbox, the owner first.</param>
public sealed record MailboxPlace(string User, string Tile, ulong Epoch, IReadOnlyList<string> Members);

/// <summary>Answers about other people. Any node knows them; none is needed twice.</summary>
public sealed class People
{
    private readonly UnlockedProfile _me;
    private readonly NodeLinks _links;
    private readonly KeyBook _keys;

    internal People(UnlockedProfile me, NodeLinks links, KeyBook keys) => (_me, _links, _keys) = (me, links, keys);

    /// <exception cref="ChordChatException"><c>unknown_user</c>, <c>key_conflict</c>, <c>unavailable</c>.</exception>
    public Task CheckExistsAsync(string user, CancellationToken cancellation = default) =>
        UserName.IsValid(user) ? _keys.ForSendingAsync(user, cancellation) : throw Failures.BadName(user);

    public async Task<Presence> StatusAsync(string user, CancellationToken cancellation = default)
    {
        var status = await AskAsync(
            user, (chat, options) => chat.GetStatusAsync(new GetStatusRequest { User = user }, options), cancellation);
        return ToPresence(status);
    }

    /// <summary>Everybody who is online now, at most <paramref name="limit"/>.</summary>
    public async Task<IReadOnlyList<Presence>> WhoAsync(uint limit = 500, CancellationToken cancellation = default)
    {
        var online = await AskAsync(
            null, (chat, options) => chat.ListOnlineAsync(new ListOnlineRequest { Limit = limit }, options), cancellation);
        return [.. online.Users.Select(ToPresence)];
    }

    public async Task<MailboxPlace> WhereAsync(string user, CancellationToken cancellation = default)
    {
        var place = await AskAsync(
            user, (chat, options) => chat.WhereAsync(new WhereRequest { User = user }, options), cancellation);
        return new MailboxPlace(user, place.Tile, place.Epoch, [.. place.Members.Select(member => member.Name)]);
    }

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

    /// <summary>What this profile thinks of somebody's keys; null for strangers.</summary>
    public PinState? KeysOf(string user) => _keys.PinOf(user)?.State;

    private async Task<T> AskAsync<T>(
        string? user, Func<Chat.ChatClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation)
    {
        if (user is not null && !UserName.IsValid(user))
            throw Failures.BadName(user);
        try
        {
            return await _links.CallAsync(call, cancellation);
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.NotFound && user is not null)
        {
            throw Failures.UnknownUser(user);
        }
        catch (RpcException cause)
        {
            throw Failures.Of(cause, "the question was not answered");
        }
    }

    private static Presence ToPresence(UserStatus status) => new(
        status.User,
        status.Online,
        status is { Online: true, SinceMs: > 0 } ? DateTimeOffset.FromUnixTimeMilliseconds(status.SinceMs) : null,
        status.NodeName);
}
