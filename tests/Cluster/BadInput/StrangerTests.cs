using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Chat;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;
using static ChordChat.Wire.CheckNameReply.Types;
using static ChordChat.Wire.SessionEnded.Types;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/security.md, "Who can do what": what a stranger without an account learns.</summary>
public sealed class StrangerTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly ChatCluster _cluster = new(2);

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    /// <summary>docs/protocol.md#passes.</summary>
    [Fact]
    public async Task Nothing_is_said_of_people_without_a_good_pass()
    {
        var anna = await RegisterAsync("anna");
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        var good = line.Welcome!.Pass.ToByteArray();
        byte[][] bad =
        [
            [], new byte[40], good[..^1], [.. good, (byte)'a'], Changed(good, 0), Changed(good, 8),
            Changed(good, good.Length - 1),
            Made(_cluster.Get<ChatIdentity>(0) with { TicketKey = Enumerable.Repeat((byte)1, 32).ToArray() }),
            Made(_cluster.Get<ChatIdentity>(0), Passes.Lifetime + TimeSpan.FromMinutes(1)),
        ];

        await RefusesAsync(null);
        foreach (var pass in bad)
            await RefusesAsync(ChatCluster.PassOf(pass));
        await RefusesAsync(new Metadata { { "chordchat-pass-bin", "no base64!"u8.ToArray() } });
        await AnswersAsync(good);
        await AnswersAsync(Made(_cluster.Get<ChatIdentity>(0), Passes.Lifetime - TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task A_login_and_a_hello_without_a_session_give_a_pass_that_is_good_at_every_node()
    {
        var anna = await RegisterAsync("anna");
        var login = await _cluster.Client(0).LogInAsync(new() { User = "anna", Secret = anna.Secret });
        await AnswersAsync(login.Pass.ToByteArray());

        await using var session = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await session.NextAsync<string>(text => text == "caught up");
        await using var asked = await ChatConnection.OpenAsync(_cluster.Client(1), anna, passOnly: true);
        await asked.ClosedAsync();

        Assert.Equal(new Welcome { Pass = asked.Welcome!.Pass }, asked.Welcome);
        await AnswersAsync(asked.Welcome.Pass.ToByteArray());
        await session.WriteAsync(new ClientFrame { Heartbeat = true });
        await session.NextAsync<string>(text => text == "heartbeat");
        Assert.Equal("n1", (await _cluster.Client(1).GetStatusAsync(new() { User = "anna" }, _cluster.Pass)).NodeName);
    }

    [Fact]
    public async Task A_pass_is_given_to_the_newest_device_only()
    {
        var anna = await RegisterAsync("anna");
        await TakeOverAsync(anna);

        await using var forged = await ChatConnection.OpenAsync(_cluster.Client(0), anna, lies: true, passOnly: true);
        await using var old = await ChatConnection.OpenAsync(_cluster.Client(0), anna, epoch: 1, passOnly: true);

        Assert.Equal((null, Reason.Refused), (forged.Welcome, forged.Refusal!.Reason));
        Assert.Equal((null, Reason.TakenOver), (old.Welcome, old.Refusal!.Reason));
    }

    [Fact]
    public async Task Who_took_over_is_told_only_to_a_device_that_shows_that_it_was_one()
    {
        var anna = await RegisterAsync("anna");
        await TakeOverAsync(anna);
        await TakeOverAsync(anna);
        var thief = new ChatUser("anna");
        var nobody = new ChatUser("nobody");
        thief.Registration();
        nobody.Registration();

        await using var guessed = await ChatConnection.OpenAsync(_cluster.Client(0), thief, epoch: 1);
        await using var unknown = await ChatConnection.OpenAsync(_cluster.Client(0), nobody, epoch: 1);
        await using var old = await ChatConnection.OpenAsync(_cluster.Client(0), anna, epoch: 1);

        Assert.Equal(unknown.Refusal, guessed.Refusal);
        Assert.Equal((Reason.Refused, ByteString.Empty), (guessed.Refusal!.Reason, guessed.Refusal.Entry));
        Assert.Equal(Reason.TakenOver, old.Refusal!.Reason);
        Assert.Equal(anna.Log.Skip(1).Select(Bytes), old.Refusal.Since);
        Assert.Equal(Bytes(anna.Log[2]), old.Refusal.Entry);
    }

    /// <summary>docs/security.md, "Names".</summary>
    /// <summary>docs/security.md, "Passwords and bcrypt": whoever keeps the queue full makes nobody's own tries wait.
    /// </summary>
    [Fact]
    public async Task A_login_that_finds_no_place_does_not_count_as_a_guess()
    {
        await using var cluster = await StartAsync(new() { LoginQueueMax = 0, BcryptCost = 10 });
        var anna = new ChatUser("anna");
        await cluster.Client(0).RegisterAsync(anna.Registration());
        var passwords = cluster.Cluster.Get<PasswordWork>(0);
        var turns = new List<FairQueue.Turn>();
        while (await passwords.TryTakeAsync(IPAddress.Loopback, CancellationToken.None) is { } turn)
            turns.Add(turn);
        for (var i = 0; i < GuessThrottle.FreeCount + 5; i++)
        {
            var busy = await Assert.ThrowsAsync<RpcException>(async () =>
                await cluster.Client(0).LogInAsync(new() { User = "anna", Secret = anna.Secret }));
            Assert.Equal(StatusCode.ResourceExhausted, busy.StatusCode);
        }

        turns.ForEach(turn => turn.Dispose());
        var login = await cluster.Client(0).LogInAsync(new() { User = "anna", Secret = anna.Secret });
        Assert.NotEmpty(login.Ticket);
    }

    /// <summary>docs/security.md, "Names": who keeps to their own device cannot keep a node busy with it either.
    /// </summary>
    [Fact]
    public async Task A_device_says_so_many_hellos_in_a_minute_and_keeps_nobody_else_out()
    {
        await using var cluster = await StartAsync(new() { HellosPerUserMax = 3, BcryptCost = 10 });
        var (anna, bert) = (new ChatUser("anna"), new ChatUser("bert"));
        await cluster.Client(0).RegisterAsync(anna.Registration());
        await cluster.Client(0).RegisterAsync(bert.Registration());
        for (var i = 0; i < 3; i++)
        {
            await using var pass = await ChatConnection.OpenAsync(cluster.Client(0), anna, passOnly: true);
            Assert.NotNull(pass.Welcome);
        }

        var refused = await Assert.ThrowsAsync<RpcException>(
            () => ChatConnection.OpenAsync(cluster.Client(0), anna, passOnly: true));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.NotNull(refused.Trailers.GetValue("retry-after-ms"));
        await using var other = await ChatConnection.OpenAsync(cluster.Client(0), bert, passOnly: true);
        Assert.NotNull(other.Welcome);
    }

    [Fact]
    public async Task Hellos_that_others_make_up_use_up_nothing_of_the_users_own()
    {
        await using var cluster = await StartAsync(new() { HellosPerUserMax = 1, BcryptCost = 10 });
        var anna = new ChatUser("anna");
        await cluster.Client(0).RegisterAsync(anna.Registration());
        var thief = new ChatUser("anna");
        thief.Registration();
        for (var i = 0; i < 3; i++)
        {
            await using var forged = await ChatConnection.OpenAsync(cluster.Client(0), thief, passOnly: true);
            Assert.Equal(Reason.Refused, forged.Refusal!.Reason);
        }

        await using var own = await ChatConnection.OpenAsync(cluster.Client(0), anna, passOnly: true);
        Assert.NotNull(own.Welcome);
    }

    [Fact]
    public async Task A_name_that_nobody_has_gets_parameters_like_any_other_and_the_same_each_time()
    {
        var anna = await RegisterAsync("anna");
        var real = await _cluster.Client(0).GetKdfAsync(new() { User = "anna" });
        var first = await _cluster.Client(0).GetKdfAsync(new() { User = "bert" });
        var again = await _cluster.Client(1).GetKdfAsync(new() { User = "bert" });
        var other = await _cluster.Client(1).GetKdfAsync(new() { User = "carl" });

        Assert.Equal(anna.Log[0].Kdf.ToSaltBytes(), real.Salt.ToByteArray());
        Assert.Equal((real.Iterations, real.Salt.Length), (first.Iterations, first.Salt.Length));
        Assert.Equal(first, again);
        Assert.NotEqual(first.Salt, other.Salt);
    }

    [Fact]
    public async Task Whether_a_name_is_free_is_said_at_a_rate()
    {
        await RegisterAsync("anna");
        var client = _cluster.Client(0);
        Assert.Equal(State.Taken, (await client.CheckNameAsync(new() { User = "anna" })).State);
        Assert.Equal(State.Free, (await client.CheckNameAsync(new() { User = "bert" })).State);

        for (var i = 2; i < _cluster.Get<ChatOptions>(0).NamesPerAddressMax; i++)
            await client.CheckNameAsync(new() { User = "bert" });
        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await client.CheckNameAsync(new() { User = "bert" }));

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.NotNull(refused.Trailers.GetValue("retry-after-ms"));
    }

    /// <summary>docs/operations.md, "Limits".</summary>
    [Fact]
    public async Task Only_so_many_may_come_and_not_say_who_they_are()
    {
        await using var cluster = await StartAsync(
            new() { UnprovenMax = 2, HelloTimeout = TimeSpan.FromMinutes(2), BcryptCost = 10 });
        var anna = new ChatUser("anna");
        await cluster.Client(0).RegisterAsync(anna.Registration());
        await using var known = await ChatConnection.OpenAsync(cluster.Client(0), anna);
        using var first = await ConnectAsync(cluster);
        using var second = await ConnectAsync(cluster);

        var refused = await Assert.ThrowsAsync<RpcException>(() => ConnectAsync(cluster));

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        await known.WriteAsync(new ClientFrame { Heartbeat = true });
        await known.NextAsync<string>(text => text == "heartbeat");
    }

    /// <summary>docs/security.md, "Places of strangers". Anna's hello takes long to judge.</summary>
    [Fact]
    public async Task Hellos_past_the_share_of_their_network_wait_and_make_room_for_newcomers()
    {
        await using var cluster = await StartAsync(new()
        {
            JudgedPerAddressMax = 1,
            UnprovenMax = 2,
            HelloTimeout = TimeSpan.FromSeconds(6),
            BcryptCost = 10,
        });
        var (anna, bert) = (new ChatUser("anna"), new ChatUser("bert"));
        await cluster.Client(0).RegisterAsync(anna.Registration());
        await cluster.Client(0).RegisterAsync(bert.Registration());
        cluster.Cluster.Replication.Silent = RegisterKey.Account("anna");
        var judged = ChatConnection.OpenAsync(cluster.Client(0), anna);
        await cluster.Cluster.Replication.SilentAsked.Task.WaitAsync(Patience);
        var waiting = ChatConnection.OpenAsync(cluster.Client(0), bert);

        await Condition.UntilAsync("a newcomer gets the place of who waits", Patience, async () =>
        {
            try
            {
                using var newcomer = await ConnectAsync(cluster);
                return true;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.ResourceExhausted)
            {
                return false;
            }
        });
        var lost = await Assert.ThrowsAsync<RpcException>(() => waiting);
        Assert.Equal(StatusCode.ResourceExhausted, lost.StatusCode);

        cluster.Cluster.Replication.Silence.SetResult();
        await using var open = await judged;
        Assert.NotNull(open.Welcome);
        await using var later = await ChatConnection.OpenAsync(cluster.Client(0), bert);
        Assert.NotNull(later.Welcome);
    }

    /// <summary>docs/security.md, "Names".</summary>
    [Fact]
    public async Task Hellos_that_nobody_signed_are_judged_at_a_rate_and_keep_nobody_out_who_was_here_before()
    {
        await using var cluster = await StartAsync(new() { FailedHellosPerAddressMax = 2, BcryptCost = 10 });
        var (anna, bert) = (new ChatUser("anna"), new ChatUser("bert"));
        await cluster.Client(0).RegisterAsync(anna.Registration());
        await (await ChatConnection.OpenAsync(cluster.Client(0), anna)).DisposeAsync();
        bert.Registration();

        for (var i = 0; i < 2; i++)
        {
            await using var failed = await ChatConnection.OpenAsync(cluster.Client(0), bert);
            Assert.Equal(Reason.Refused, failed.Refusal!.Reason);
        }

        var refused = await Assert.ThrowsAsync<RpcException>(() => ChatConnection.OpenAsync(cluster.Client(0), bert));
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.NotNull(refused.Trailers.GetValue("retry-after-ms"));
        await using var again = await ChatConnection.OpenAsync(cluster.Client(0), anna);
        Assert.NotNull(again.Welcome);
    }

    [Fact]
    public async Task Somebody_who_takes_one_new_device_after_the_other_has_to_wait()
    {
        var anna = await RegisterAsync("anna");
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var full = new KeyLogPace(KeyLogPace.AtOnceMax, now);
        await _cluster.Replication.ChangeAsync(
            RegisterKey.Account("anna"), current => (Account.FromBytes(current) with { Pace = full }).ToBytes(),
            CancellationToken.None);

        var refused = await Assert.ThrowsAsync<RpcException>(() => TakeOverAsync(anna));

        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.InRange(
            long.Parse(refused.Trailers.GetValue("retry-after-ms")!, null), 1,
            (long)KeyLogPace.Each.TotalMilliseconds);
        Assert.Single((await _cluster.Client(0).GetKeyLogAsync(new() { User = "anna" }, _cluster.Pass)).Entries);
    }

    private static async Task<StartedCluster> StartAsync(ChatOptions options)
    {
        var cluster = new ChatCluster(1, options: options);
        await cluster.InitializeAsync();
        return new(cluster);
    }

    private static async Task<AsyncDuplexStreamingCall<ClientFrame, NodeFrame>> ConnectAsync(StartedCluster cluster)
    {
        var call = cluster.Client(0).Connect();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        return call;
    }

    private sealed record StartedCluster(ChatCluster Cluster) : IAsyncDisposable
    {
        public Wire.Chat.ChatClient Client(int node) => Cluster.Client(node);

        public ValueTask DisposeAsync() => new(Cluster.DisposeAsync());
    }

    private async Task RefusesAsync(Metadata? pass)
    {
        var client = _cluster.Client(1);
        Func<Task>[] calls =
        [
            async () => await client.GetStatusAsync(new() { User = "anna" }, pass),
            async () => await client.ListOnlineAsync(new(), pass),
            async () => await client.WhereAsync(new() { User = "anna" }, pass),
            async () => await client.GetKeyLogAsync(new() { User = "anna" }, pass),
            async () => await client.GetStatusAsync(new() { User = "nobody" }, pass),
            async () => await client.WhereAsync(new() { User = "nobody" }, pass),
            async () => await client.GetKeyLogAsync(new() { User = "nobody" }, pass),
        ];
        foreach (var call in calls)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal(StatusCode.Unauthenticated, refused.StatusCode);
            Assert.NotNull(refused.Trailers.GetValue("hint"));
        }
    }

    private async Task AnswersAsync(byte[] pass)
    {
        for (var node = 0; node < 2; node++)
        {
            var (client, shown) = (_cluster.Client(node), ChatCluster.PassOf(pass));
            await client.GetStatusAsync(new() { User = "anna" }, shown);
            await client.ListOnlineAsync(new(), shown);
            await client.WhereAsync(new() { User = "anna" }, shown);
            Assert.NotEmpty((await client.GetKeyLogAsync(new() { User = "anna" }, shown)).Entries);
        }
    }

    private async Task<ChatUser> RegisterAsync(string name)
    {
        var user = new ChatUser(name);
        await _cluster.Client(0).RegisterAsync(user.Registration());
        return user;
    }

    private async Task TakeOverAsync(ChatUser user)
    {
        var login = await _cluster.Client(0).LogInAsync(new() { User = user.Name, Secret = user.Secret });
        await _cluster.Client(0).PublishKeysAsync(user.Publication(login.Ticket));
    }

    private static byte[] Made(ChatIdentity identity, TimeSpan ago = default) =>
        new Passes(identity, new ChatClock(new Earlier(ago))).Issue("anna");

    private static byte[] Changed(byte[] pass, int at)
    {
        var changed = (byte[])pass.Clone();
        changed[at] ^= 1;
        return changed;
    }

    private static ByteString Bytes(Crypto.KeyLogs.KeyLogEntry entry) => ByteString.CopyFrom(entry.Bytes.Span);

    private sealed class Earlier(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow - by;
    }
}
