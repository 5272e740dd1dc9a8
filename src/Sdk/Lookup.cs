using ChordChat.Crypto;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Sdk;

/// <summary>What any node answers to who has an account: who is online and where a mailbox lies.</summary>
public sealed class Lookup : IDisposable
{
    private const int TileMax = 40;

    private readonly NodeLinks _links;

    /// <summary>Asks with the pass that this profile got last; without a good one every question ends with
    /// <c>no_pass</c>.</summary>
    public Lookup(Profile profile, NodeSearch search)
        : this(LinksOf(profile, null, search))
    {
    }

    /// <summary>Gets a pass by itself; takes nobody's session over.</summary>
    /// <exception cref="ChordChatException"><c>not_logged_in</c>: the keys of this device are gone.</exception>
    public Lookup(UnlockedProfile me, NodeSearch search)
        : this(LinksOf(me.Profile, me.RequireDevice(), search))
    {
    }

    internal Lookup(NodeLinks links) => _links = links;

    /// <exception cref="ChordChatException"><c>not_a_contact</c>: the cluster tells only those to whom this person has
    /// written.</exception>
    public async Task<Presence> StatusAsync(string user, CancellationToken cancellation = default)
    {
        var status = await AskAsync(
            user, (chat, options) => chat.GetStatusAsync(new GetStatusRequest { User = user }, options), cancellation);
        return ToPresence(status) with { User = user };
    }

    /// <summary>Everybody who is online now and whom this user may see, at most <paramref name="limit"/>.</summary>
    public async Task<OnlinePeople> WhoAsync(uint limit = 500, CancellationToken cancellation = default)
    {
        var online = await AskAsync(
            null, (chat, options) => chat.ListOnlineAsync(new ListOnlineRequest { Limit = limit }, options),
            cancellation);
        return new OnlinePeople(
            [.. online.Users
                .Where(user => UserName.IsValid(user.User)).Take((int)Math.Min(limit, int.MaxValue))
                .Select(ToPresence)],
            online.ContactsOnly);
    }

    /// <inheritdoc cref="StatusAsync" path="/exception"/>
    public async Task<MailboxMembers> WhereAsync(string user, CancellationToken cancellation = default)
    {
        var place = await AskAsync(
            user, (chat, options) => chat.WhereAsync(new WhereRequest { User = user }, options), cancellation);
        var members = NodeWords.Names(place.Members.Select(member => member.Name)).ToList();
        return new MailboxMembers(
            user, TileOf(place.Tile), place.Epoch, members,
            [.. NodeWords.Names(place.Answering).Where(members.Contains)]);
    }

    public void Dispose() => _links.Dispose();

    /// <summary>As in <c>5a/7</c>; "?" for what cannot be one: docs/e2e.md, Harmless.</summary>
    private static string TileOf(string said) =>
        said.Length is > 0 and <= TileMax && said.All(sign => char.IsAsciiHexDigitLower(sign) || sign == '/')
            ? said : "?";

    private static NodeLinks LinksOf(Profile profile, Device? device, NodeSearch search) => new(
        new NodePool(search, profile.Trust, profile.KnownNodes), new UserPass(profile, () => device));

    private async Task<T> AskAsync<T>(
        string? user, Func<Chat.ChatClient, CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation)
    {
        if (user is not null && !UserName.IsValid(user))
            throw Failures.BadName(user);
        try
        {
            return await _links.AskAsync((link, options) => call(link.Chat, options), cancellation);
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.NotFound && user is not null)
        {
            throw Failures.UnknownUser(user);
        }
        catch (RpcException cause) when (cause.StatusCode == StatusCode.Unauthenticated)
        {
            throw Failures.NoPass("the question was not answered", cause);
        }
        catch (RpcException cause)
        {
            throw Failures.Of(cause, "the question was not answered");
        }
    }

    private static Presence ToPresence(UserStatus status) => new(
        status.User,
        status.Online,
        status.Online ? NodeWords.Time(status.SinceMs) : null,
        status.NodeName.Length == 0 ? "" : NodeWords.Name(status.NodeName));
}
