using System.Buffers.Binary;
using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Links;
using ChordChat.Node.Tiles;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Node.Chat;

/// <summary>What clients ask of a node. Thin: words in, domain, words out.</summary>
internal sealed class ChatService(
    ChatIdentity identity,
    ChatPeers peers,
    Accounts accounts,
    AccountGlimpses glimpses,
    Registration registration,
    RegistrationDoor registrations,
    ChatOptions options,
    Login login,
    KeyPublication publication,
    KeyLogReader keyLogs,
    Whereabouts whereabouts,
    PresenceDoor presence,
    IMessageSets sets,
    Askers askers,
    NameDoor names,
    AccountDoor accountDoor,
    LoginDoor logins,
    AccountReads reads,
    UnknownNames unknown,
    Passes passes,
    ChatDoor door) : Wire.Chat.ChatBase
{
    /// <summary>How many questions a list of all who are online counts for.</summary>
    private const int ListCount = 10;

    public override Task<ClusterInfo> GetCluster(GetClusterRequest request, ServerCallContext context)
    {
        var info = new ClusterInfo
        {
            Cluster = ChatMaps.ToWire(identity.Cluster.ToBytes()),
            NodeName = identity.Self.Name,
            NodeId = ChatMaps.ToWire(identity.Self.Node.ToBytes()),
            Authority = ChatMaps.ToWire(identity.Authority),
            Policy = ChatMaps.ToWire(identity.Policy),
            Copies = (uint)identity.Copies,
            Demo = identity.IsDemo,
        };
        info.Nodes.Add(peers.ToName().Select(ChatMaps.ToWire));
        return Task.FromResult(info);
    }

    public override async Task<KdfParameters> GetKdf(GetKdfRequest request, ServerCallContext context)
    {
        if (!UserName.IsValid(request.User))
            throw CallFaults.Invalid(UserName.Rule);
        Enter(accountDoor, context);
        using var turn = await reads.OfStrangerAsync(context);
        var made = unknown.KdfOf(request.User); // Also for those who exist: it takes its time.
        var kdf = await glimpses.GlimpseAsync(request.User, context.CancellationToken) switch
        {
            AccountGlimpse.Agreed(var account) => ClientProofs.KdfOf(account),
            AccountGlimpse.Unproven(var account, _, _) => ClientProofs.KdfOf(account),
            AccountGlimpse.Unavailable(var reached, var needed) => throw ChatFaults.NoMajority(reached, needed),
            _ => made,
        };
        return new KdfParameters { Iterations = kdf.Iterations, Salt = ByteString.CopyFrom(kdf.ToSaltBytes()) };
    }

    public override async Task<CheckNameReply> CheckName(CheckNameRequest request, ServerCallContext context)
    {
        if (!UserName.IsValid(request.User))
            throw CallFaults.Invalid(UserName.Rule);
        if (options.Registration != RegistrationRule.Open)
            return new CheckNameReply { State = CheckNameReply.Types.State.Unknown };
        if (names.TryEnter(context.GetHttpContext().Connection.RemoteIpAddress) is { Ticks: > 0 } wait)
            throw ChatFaults.TooManyNames(wait);
        using var turn = await reads.OfStrangerAsync(context);
        var state = await accounts.ReadAsync(request.User, context.CancellationToken) switch
        {
            AccountRead.Found => CheckNameReply.Types.State.Taken,
            AccountRead.None => CheckNameReply.Types.State.Free,
            _ => CheckNameReply.Types.State.Unknown,
        };
        return new CheckNameReply { State = state };
    }

    public override async Task<RegisterReply> Register(RegisterRequest request, ServerCallContext context)
    {
        if (request.Operation.Length != 16)
            throw CallFaults.Invalid("an operation id has 16 bytes");
        if (options.Registration == RegistrationRule.Closed)
            throw ChatFaults.RegistrationClosed();
        if (request.Keyring.Length > ChatLimits.FirstKeyringBytesMax)
            throw CallFaults.Invalid("the keyring of a new account is too long");
        var address = context.GetHttpContext().Connection.RemoteIpAddress;
        if (registrations.TryEnter(address) is { Ticks: > 0 } wait)
            throw ChatFaults.TooManyRegistrations(wait);
        try
        {
            return await RegisterAsync(request, address, context.CancellationToken);
        }
        finally
        {
            registrations.Leave();
        }
    }

    private async Task<RegisterReply> RegisterAsync(
        RegisterRequest request, IPAddress? address, CancellationToken cancellation)
    {
        var wish = new RegisterWish(
            request.User,
            BinaryPrimitives.ReadUInt128BigEndian(request.Operation.Span),
            request.Secret,
            request.KeyLogEntry.Memory,
            request.Keyring.Memory,
            request.Invitation);
        return await registration.RegisterAsync(wish, address, cancellation) switch
        {
            RegisterOutcome.Registered => new RegisterReply(),
            var other => throw ChatFaults.For(other),
        };
    }

    public override async Task<LogInReply> LogIn(LogInRequest request, ServerCallContext context)
    {
        if (request.Secret.Length != ChatLimits.SecretLength)
            throw CallFaults.Invalid("the secret has 43 characters");
        Enter(logins, context);
        var address = context.GetHttpContext().Connection.RemoteIpAddress;
        return await login.LogInAsync(
            request.User, request.Secret, request.KnownDevice, address, context.CancellationToken) switch
        {
            LoginOutcome.Granted granted => new LogInReply
            {
                Keyring = ChatMaps.ToWire(granted.Keyring),
                KeyLog = ChatMaps.ToWire(granted.KeyLog),
                Ticket = ChatMaps.ToWire(granted.Ticket),
                Degraded = granted.IsDegraded,
                SessionLive = granted.IsSessionLive,
                Pass = ChatMaps.ToWire(passes.Issue(request.User)),
            },
            var other => throw ChatFaults.For(other),
        };
    }

    public override async Task<PublishKeysReply> PublishKeys(PublishKeysRequest request, ServerCallContext context)
    {
        Enter(accountDoor, context);
        using var turn = await reads.OfStrangerAsync(context);
        return await publication.PublishAsync(
            request.User,
            request.Ticket.Memory,
            request.KeyLogEntry.Memory,
            request.Keyring.Memory,
            context.CancellationToken) switch
        {
            PublishOutcome.Published => new PublishKeysReply(),
            var other => throw ChatFaults.For(other),
        };
    }

    /// <exception cref="RpcException">Too many calls like this one came from there.</exception>
    private static void Enter(AccountDoor door, ServerCallContext context)
    {
        if (door.TryEnter(context.GetHttpContext().Connection.RemoteIpAddress) is { Ticks: > 0 } wait)
            throw ChatFaults.TooManyAccountReads(wait);
    }

    /// <remarks>Clients pin what they are shown: an entry that no majority agrees on is not shown.</remarks>
    public override async Task<KeyLog> GetKeyLog(GetKeyLogRequest request, ServerCallContext context)
    {
        askers.Require(context);
        using var turn = await reads.OfUserAsync(context);
        var account = await accounts.ReadAsync(request.User, context.CancellationToken) switch
        {
            AccountRead.Found(var found) => found,
            AccountRead.Unavailable(var reached, var needed) => throw ChatFaults.NoMajority(reached, needed),
            _ => throw ChatFaults.UnknownUser(request.User),
        };
        try
        {
            return ChatMaps.ToWire(await keyLogs.ReadAsync(account, request.From, context.CancellationToken));
        }
        catch (NoMajorityException)
        {
            throw ChatFaults.NoMajority();
        }
    }

    public override async Task<UserStatus> GetStatus(GetStatusRequest request, ServerCallContext context)
    {
        await RequireSightAsync(request.User, context);
        if (!UserName.IsValid(request.User))
            throw ChatFaults.UnknownUser(request.User);
        if (await whereabouts.FindAsync(request.User, context.CancellationToken) is { } lease)
            return ChatMaps.ToWire(lease, peers.Find(lease.Node));
        if (await IsUnknownAsync(request.User, context))
            throw ChatFaults.UnknownUser(request.User);
        return new UserStatus { User = request.User };
    }

    public override async Task<OnlineUsers> ListOnline(ListOnlineRequest request, ServerCallContext context)
    {
        var asker = askers.Require(context, ListCount);
        var max = (int)(request.Limit == 0 ? Whereabouts.ListMax : Math.Min(request.Limit, Whereabouts.ListMax));
        var users = new OnlineUsers { ContactsOnly = presence.IsForContacts(asker) };
        var online = await whereabouts.ListAsync(
            users.ContactsOnly ? Whereabouts.ListMax : max, context.CancellationToken);
        if (users.ContactsOnly)
            online = await presence.ContactsAsync(asker!, online, context.CancellationToken)
                ?? throw ChatFaults.NoMajority();
        foreach (var lease in online.Take(max))
            users.Users.Add(ChatMaps.ToWire(lease, peers.Find(lease.Node)));
        return users;
    }

    public override async Task<MailboxPlace> Where(WhereRequest request, ServerCallContext context)
    {
        await RequireSightAsync(request.User, context);
        if (!UserName.IsValid(request.User) || await IsUnknownAsync(request.User, context))
            throw ChatFaults.UnknownUser(request.User);
        var (place, answering) =
            await sets.FindPlaceAsync(SetKey.Mailbox(request.User), context.CancellationToken);
        var reply = new MailboxPlace { User = request.User, Tile = place.At.Tile.ToString(), Epoch = place.At.Epoch };
        reply.Members.Add(place.Members.Select(ChatMaps.ToWire));
        reply.Answering.Add(answering.Select(member => member.Name));
        return reply;
    }

    private async ValueTask<bool> IsUnknownAsync(string user, ServerCallContext context)
    {
        if (accounts.IsKnown(user))
            return false;
        using var turn = await reads.OfUserAsync(context);
        return await accounts.IsUnknownAsync(user, context.CancellationToken);
    }

    /// <exception cref="RpcException">The caller may not ask about this user.</exception>
    private async Task RequireSightAsync(string user, ServerCallContext context)
    {
        if (!await presence.MaySeeAsync(askers.Require(context), user, context.CancellationToken))
            throw ChatFaults.NotAContact(user);
    }

    public override Task Connect(
        IAsyncStreamReader<ClientFrame> requestStream,
        IServerStreamWriter<NodeFrame> responseStream,
        ServerCallContext context) => door.ServeAsync(requestStream, responseStream, context);
}
