using System.Security.Cryptography;
using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Sessions;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>The client service of a fake node.</summary>
internal sealed class FakeChat(FakeCluster cluster, FakeNode node) : Wire.Chat.ChatBase
{
    private const int PushesPerFrame = 16;

    public override Task<ClusterInfo> GetCluster(GetClusterRequest request, ServerCallContext context)
    {
        var info = new ClusterInfo
        {
            Cluster = ByteString.CopyFrom(cluster.Id.ToBytes()),
            NodeName = node.Name,
            NodeId = ByteString.CopyFrom(node.Id),
            Authority = ByteString.CopyFrom(cluster.Authority.RawData),
            Copies = 3,
        };
        info.Nodes.Add(cluster.Nodes.Values.Select(Describe));
        cluster.Introduce(info);
        return Task.FromResult(info);
    }

    public override Task<KdfParameters> GetKdf(GetKdfRequest request, ServerCallContext context)
    {
        var kdf = cluster.Accounts.TryGetValue(request.User, out var account) ? account.Log!.Head.Kdf : FakeCluster.Kdf;
        var given = new KdfParameters
        {
            Iterations = cluster.KdfIterations ?? kdf.Iterations,
            Salt = ByteString.CopyFrom(kdf.ToSaltBytes()),
        };
        cluster.GiveKdf(node, given);
        return Task.FromResult(given);
    }

    public override Task<CheckNameReply> CheckName(CheckNameRequest request, ServerCallContext context) =>
        Task.FromResult(new CheckNameReply
        {
            State = cluster.Accounts.ContainsKey(request.User)
                ? CheckNameReply.Types.State.Taken
                : CheckNameReply.Types.State.Free,
        });

    public override Task<RegisterReply> Register(RegisterRequest request, ServerCallContext context)
    {
        cluster.SecretCalls.Enqueue(request.User);
        if (cluster.RegistrationFault is (var before, TakesEffect: false))
            throw before;
        if (cluster.RefuseRegistration(node) is { } lie)
            throw lie;
        if (cluster.Invitation is { } code && request.Invitation != code)
            throw NotInvited(request.Invitation.Length == 0 ? "invitation_needed" : "invitation_wrong");
        var log = KeyLog.Verify(cluster.Id, request.User, [request.KeyLogEntry.ToByteArray()])
            ?? throw Fault(StatusCode.InvalidArgument, "the entry is not sound");
        var account = new FakeAccount(request.Secret, request.Operation.ToByteArray())
        {
            Log = log,
            Keyrings = { request.Keyring.ToByteArray() },
        };
        if (!cluster.Accounts.TryAdd(request.User, account)
            && !cluster.Accounts[request.User].Operation.SequenceEqual(account.Operation))
            throw Fault(StatusCode.AlreadyExists, "taken");
        if (cluster.RegistrationFault is (var after, _))
            throw after;
        return Task.FromResult(new RegisterReply());
    }

    public override Task<LogInReply> LogIn(LogInRequest request, ServerCallContext context)
    {
        cluster.SecretCalls.Enqueue(request.User);
        if (!cluster.Accounts.TryGetValue(request.User, out var account) || account.Secret != request.Secret)
        {
            cluster.WrongSecrets.Enqueue(node);
            throw Fault(StatusCode.Unauthenticated, "wrong");
        }

        var log = cluster.ShowKeys(node, request.User) ?? account.Log!;
        var reply = new LogInReply
        {
            Pass = cluster.Pass,
            Keyring = ByteString.CopyFrom(account.Keyrings[log.Entries.Length - 1]),
            KeyLog = Entries(log),
            Ticket = ByteString.CopyFrom(account.Ticket),
        };
        cluster.AnswerLogIn(node, reply);
        return Task.FromResult(reply);
    }

    public override Task<PublishKeysReply> PublishKeys(PublishKeysRequest request, ServerCallContext context)
    {
        var account = Account(request.User);
        if (!request.Ticket.Span.SequenceEqual(account.Ticket))
            throw Fault(StatusCode.PermissionDenied, "no ticket");
        cluster.EntriesSeen.Enqueue(KeyLogEntry.TryParse(request.KeyLogEntry.Span)!);
        cluster.KeyringsSeen.Enqueue(request.Keyring.ToByteArray());
        if (cluster.PublishFault(node) is (var before, TakesEffect: false))
            throw before;
        if (account.Log!.Head.Bytes.Span.SequenceEqual(request.KeyLogEntry.Span))
            return Task.FromResult(new PublishKeysReply());
        account.Log = account.Log!.Append(request.KeyLogEntry.Span) ?? throw Fault(StatusCode.Aborted, "not next");
        account.Keyrings.Add(request.Keyring.ToByteArray());
        if (cluster.PublishFault(node) is (var after, _))
            throw after;
        if (cluster.Sessions.TryRemove(request.User, out var old))
            old.End(SessionEnded.Types.Reason.TakenOver, request.KeyLogEntry.ToByteArray());
        return Task.FromResult(new PublishKeysReply());
    }

    public override async Task<Wire.KeyLog> GetKeyLog(GetKeyLogRequest request, ServerCallContext context)
    {
        RequirePass(context);
        cluster.KeyLogCalls.AddOrUpdate(request.User, 1, (_, count) => count + 1);
        if (!cluster.ReadsKeyLogs)
            throw Fault(StatusCode.Unavailable, "no majority");
        while (cluster.Silent.ContainsKey(request.User) || cluster.HangsKeyLog(node, request.User))
            await Task.Delay(20, context.CancellationToken);
        await Task.Delay(cluster.KeyLogTakes(request.User), context.CancellationToken);
        return Entries(cluster.ShowKeys(node, request.User) ?? Account(request.User).Log!);
    }

    public override Task<UserStatus> GetStatus(GetStatusRequest request, ServerCallContext context)
    {
        RequirePass(context);
        Account(request.User);
        return Task.FromResult(Status(request.User));
    }

    public override Task<OnlineUsers> ListOnline(ListOnlineRequest request, ServerCallContext context)
    {
        RequirePass(context);
        var online = new OnlineUsers();
        online.Users.Add(cluster.Sessions.Keys.Order().Select(Status));
        return Task.FromResult(online);
    }

    public override Task<MailboxPlace> Where(WhereRequest request, ServerCallContext context)
    {
        RequirePass(context);
        Account(request.User);
        var place = new MailboxPlace { User = request.User, Tile = "5a/7", Epoch = 1 };
        place.Members.Add(cluster.Nodes.Values.Select(Describe));
        place.Answering.Add(place.Members.Select(member => member.Name));
        return Task.FromResult(place);
    }

    public override async Task Connect(
        IAsyncStreamReader<ClientFrame> requestStream, IServerStreamWriter<NodeFrame> responseStream,
        ServerCallContext context)
    {
        var nonce = RandomNumberGenerator.GetBytes(32);
        var challenge = new Challenge
        {
            Cluster = ByteString.CopyFrom(cluster.Id.ToBytes()),
            NodeId = ByteString.CopyFrom(node.Id),
            NodeNonce = ByteString.CopyFrom(nonce),
        };
        cluster.Challenge(node, challenge);
        await responseStream.WriteAsync(new NodeFrame { Challenge = challenge });
        if (!await requestStream.MoveNext(context.CancellationToken))
            return;
        var hello = requestStream.Current.Hello;
        var account = Account(hello.User);
        if (account.Log!.Head.Epoch != hello.Epoch || !SessionProof.Verify(
            account.Log.Head.DeviceKey, cluster.Id, node.Id, hello.User, hello.Epoch, nonce, hello.ClientNonce.Span,
            hello.Signature.Span, hello.PassOnly ? ProofUse.Pass : ProofUse.Session))
        {
            await responseStream.WriteAsync(new NodeFrame
            {
                Ended = new SessionEnded { Reason = SessionEnded.Types.Reason.Refused, Text = "old epoch" },
            });
            return;
        }

        if (cluster.Refuse(node) is { } refusal)
        {
            await responseStream.WriteAsync(new NodeFrame { Ended = refusal });
            return;
        }

        if (hello.PassOnly)
        {
            cluster.PassCalls.Enqueue(hello.User);
            await responseStream.WriteAsync(new NodeFrame { Welcome = new Welcome { Pass = cluster.Pass } });
            return;
        }

        cluster.SessionCalls.Enqueue(hello.User);
        var session = new FakeSession(hello.User, node) { Hello = Kept(hello, nonce) };
        cluster.Hellos.Enqueue((hello.User, session.Hello));
        Begin(session);
        Welcome(session, account);
        var reading = ReadAsync(requestStream, session, account, context.CancellationToken);
        try
        {
            await foreach (var frame in session.Frames.ReadAllAsync(context.CancellationToken))
                await responseStream.WriteAsync(frame, context.CancellationToken);
        }
        finally
        {
            cluster.Sessions.TryRemove(KeyValuePair.Create(hello.User, session));
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Of two that come at once one is the newer.</summary>
    private void Begin(FakeSession session)
    {
        lock (cluster.Sessions)
        {
            if (cluster.Sessions.TryGetValue(session.User, out var old))
                old.EndAsSameDevice(session.Hello);
            cluster.Sessions[session.User] = session;
        }
    }

    private NewerSession Kept(Hello hello, byte[] nonce) => new()
    {
        NodeId = ByteString.CopyFrom(node.Id),
        NodeNonce = ByteString.CopyFrom(nonce),
        ClientNonce = hello.ClientNonce,
        Signature = hello.Signature,
    };

    private void Welcome(FakeSession session, FakeAccount account)
    {
        var welcome = new Welcome { Session = 1, NodeName = node.Name, Copies = 3, Pass = cluster.Pass };
        welcome.Nodes.Add(cluster.Nodes.Values.Select(Describe));
        session.Write(new NodeFrame { Welcome = welcome });
        PushMailbox(session, account, reading: 0);
    }

    private void PushMailbox(FakeSession session, FakeAccount account, ulong reading)
    {
        var mail = account.Mailbox().Where(push => !session.Pushed.ContainsKey(push.Id)).ToList();
        foreach (var some in cluster.Tamper(mail).Chunk(PushesPerFrame))
        {
            var frame = new NodeFrame();
            frame.Pushes.Add(some);
            session.Write(frame);
            foreach (var push in some)
                session.Pushed[push.Id] = true;
        }

        if (cluster.EndsReadings)
            session.Write(new NodeFrame { CaughtUp = true, CaughtUpReading = reading });
    }

    private async Task ReadAsync(
        IAsyncStreamReader<ClientFrame> frames, FakeSession session, FakeAccount account,
        CancellationToken cancellation)
    {
        while (await frames.MoveNext(cancellation))
        {
            var frame = frames.Current;
            if (cluster.IsStuck(node))
                continue;
            if (frame.Sends.Count > 0)
            {
                var reply = new NodeFrame();
                reply.Outcomes.Add(frame.Sends.Select(send => cluster.Take(session.User, send)));
                session.Write(reply);
            }

            foreach (var id in frame.Acknowledged)
                account.Acknowledge(id);
            if (frame.Repeat)
                session.Pushed.Clear();
            if (frame.Resync || frame.Repeat)
                PushMailbox(session, account, frame.Reading);
            if (frame.Circle is { } change)
                session.Write(new NodeFrame
                {
                    Circle = cluster.KnowsCircles ? account.Change(change) : new Circle { Code = "unavailable" },
                });
            if (frame.Heartbeat)
                session.Write(new NodeFrame { Heartbeat = true });
            if (frame.LogOut)
                session.End(SessionEnded.Types.Reason.LoggedOut);
        }
    }

    private UserStatus Status(string user) => new()
    {
        User = user,
        Online = cluster.Sessions.TryGetValue(user, out var session),
        SinceMs = session?.Since.ToUnixTimeMilliseconds() ?? 0,
        NodeName = session?.Node.Name ?? "",
    };

    private void RequirePass(ServerCallContext context)
    {
        if (!cluster.Pass.Span.SequenceEqual(context.RequestHeaders.GetValueBytes("chordchat-pass-bin")))
            throw Fault(StatusCode.Unauthenticated, "no pass");
    }

    private FakeAccount Account(string user) =>
        cluster.Accounts.TryGetValue(user, out var account)
            ? account
            : throw Fault(StatusCode.NotFound, "no such user");

    private static Wire.KeyLog Entries(KeyLog shown)
    {
        var log = new Wire.KeyLog();
        log.Entries.Add(shown.Entries.Select(entry => ByteString.CopyFrom(entry.Bytes.Span)));
        return log;
    }

    private static NodeAddress Describe(FakeNode node) => new()
    {
        Name = node.Name,
        Address = node.Address,
        NodeId = ByteString.CopyFrom(node.Id),
    };

    private static RpcException NotInvited(string reason) => new(
        new Status(StatusCode.PermissionDenied, "registering here needs an invitation"),
        new Metadata { { "reason", reason }, { "changed", "no" } });

    private static RpcException Fault(StatusCode code, string text) => new(new Status(code, text));
}
