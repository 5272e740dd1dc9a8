using ChordChat.Core.Chat;
using ChordChat.Core.Tiles;
using ChordChat.Crypto.Sessions;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Grpc.Core;
using Xunit;
using SessionPolicy = ChordChat.Node.Identity.SessionPolicy;

namespace ChordChat.Tests.Cluster.Chat;

public sealed class SessionTests : IAsyncLifetime
{
    private readonly ChatCluster _cluster = new(2);

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task A_signed_hello_is_welcomed_and_everybody_sees_who_is_online()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await line.NextAsync<string>(text => text == "caught up");

        Assert.Equal((1ul, "n1", 3u, false),
            (line.Welcome!.Session, line.Welcome.NodeName, line.Welcome.Copies, line.Welcome.Degraded));
        Assert.Equal(["n1", "n2"], line.Welcome.Nodes.Select(node => node.Name));
        var status = await _cluster.Client(1).GetStatusAsync(new() { User = "anna" }, _cluster.Pass);
        Assert.True(status.Online);
        Assert.Equal("n1", status.NodeName);
        var online = await _cluster.Client(1).ListOnlineAsync(new() { Limit = 10 }, _cluster.Pass);
        Assert.Equal(["anna"], online.Users.Select(user => user.User));
    }

    [Fact]
    public async Task A_hello_that_another_device_signed_is_refused()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await TakeOverAsync(_cluster, anna, 0);
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna, lies: true);
        Assert.Equal(SessionEnded.Types.Reason.Refused, line.Refusal!.Reason);
    }

    [Fact]
    public async Task A_device_with_old_keys_is_shown_the_entry_that_replaced_it()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await TakeOverAsync(_cluster, anna, 0);
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(1), anna, epoch: 1);
        Assert.Equal(SessionEnded.Types.Reason.TakenOver, line.Refusal!.Reason);
        Assert.Equal(anna.Log[1].Bytes.ToArray(), line.Refusal.Entry.ToByteArray());
    }

    /// <summary>Its node may be slow to answer, too.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Publishing_new_keys_ends_the_old_session_at_another_node_with_the_proof(int lost)
    {
        _cluster.Link.LostEndings = lost;
        var anna = await RegisterAsync(_cluster, "anna");
        await using var old = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await old.NextAsync<string>(text => text == "caught up");

        await TakeOverAsync(_cluster, anna, 1);

        var ended = await old.NextAsync<SessionEnded>();
        Assert.Equal(SessionEnded.Types.Reason.TakenOver, ended.Reason);
        Assert.Equal(anna.Log[1].Bytes.ToArray(), ended.Entry.ToByteArray());
        await old.ClosedAsync();
        await using var fresh = await ChatConnection.OpenAsync(_cluster.Client(1), anna);
        Assert.Equal(2ul, fresh.Welcome!.Session);
    }

    [Fact]
    public async Task When_the_takeover_is_not_delivered_the_new_sessions_number_ends_the_old_one()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var old = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await old.NextAsync<string>(text => text == "caught up");
        _cluster.Link.Unreachable.Add(_cluster.Nodes[0]);
        await TakeOverAsync(_cluster, anna, 1);
        await using var fresh = await ChatConnection.OpenAsync(_cluster.Client(1), anna);
        await fresh.NextAsync<string>(text => text == "caught up");
        _cluster.Link.Unreachable.Clear();

        var ended = await old.NextAsync<SessionEnded>(); // With the next renewal of the old lease.

        Assert.Equal(anna.Log[1].Bytes.ToArray(), ended.Entry.ToByteArray());
    }

    [Fact]
    public async Task The_same_device_replaces_its_own_session_and_a_copy_of_it_would_hear_so()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var first = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await using var second = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        AssertNewer(anna, 0, await first.NextAsync<SessionEnded>());
        await first.ClosedAsync();
        await using var third = await ChatConnection.OpenAsync(_cluster.Client(1), anna);
        AssertNewer(anna, 1, await second.NextAsync<SessionEnded>());
        await second.ClosedAsync();

        Assert.Equal("n2", (await _cluster.Client(0).GetStatusAsync(new() { User = "anna" }, _cluster.Pass)).NodeName);
    }

    /// <summary>docs/protocol.md#newer-session: where it says that it is, there is none, or an older one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_member_that_speaks_of_a_newer_session_ends_none(bool wasThere)
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var older = wasThere ? await ChatConnection.OpenAsync(_cluster.Client(1), anna) : null;
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await line.NextAsync<string>(text => text == "caught up");
        var lies = 0;
        _cluster.Link.Lie = (_, lease) =>
        {
            Interlocked.Increment(ref lies);
            return lease with { Session = lease.Session + 1, Node = _cluster.Nodes[1].Node };
        };
        await Condition.UntilAsync(
            "the lie is heard", TimeSpan.FromSeconds(20), () => Task.FromResult(Volatile.Read(ref lies) > 4));
        await line.WriteAsync(new ClientFrame { Heartbeat = true });
        await line.NextAsync<string>(text => text == "heartbeat");
        Assert.Equal("n1", (await _cluster.Client(0).GetStatusAsync(new() { User = "anna" }, _cluster.Pass)).NodeName);
    }

    /// <summary>docs/protocol.md#newer-session: somebody who keeps mail for her, or had her in session once, says that
    /// she is there, so senders hand her mail to that node.</summary>
    [Fact]
    public async Task A_session_of_which_a_newer_one_is_only_claimed_still_gets_its_mail()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await line.NextAsync<string>(text => text == "caught up");
        for (var i = 0; i < 3; i++) // The first may be found when the lie is judged.
        {
            var claim = new Lease("anna", 1UL << 61, _cluster.Nodes[1].Node, 1);
            for (var node = 0; node < 2; node++)
                _cluster.Get<PeerRequests>(node).Renew([new(claim, Ends: false)]);
            var id = MessageId.FromBytes(Guid.NewGuid().ToByteArray());
            await _cluster.Replication.AddAsync(
                SetKey.Mailbox("anna"), new("bob", 0), id, "sealed"u8.ToArray(), null, CancellationToken.None);
            await line.NextAsync<Push>(push => push.Id.Span.SequenceEqual(id.ToBytes()));
        }
    }

    /// <summary>docs/protocol.md#newer-session: it lets in whom it keeps waiting, when they have gone elsewhere.
    /// </summary>
    [Fact]
    public async Task Of_two_sessions_of_a_device_that_of_the_later_hello_stays()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var late = await ChatConnection.OpenAsync(_cluster.Client(1), anna, nonce: HelloNonce.New(1));
        await late.NextAsync<string>(text => text == "caught up");
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna, nonce: HelloNonce.New(3));
        AssertNewer(anna, 0, await late.NextAsync<SessionEnded>());
        await using var later = await ChatConnection.OpenAsync(_cluster.Client(1), anna, nonce: HelloNonce.New(2));

        AssertNewer(anna, 0, await later.NextAsync<SessionEnded>());
        await line.WriteAsync(new ClientFrame { Heartbeat = true });
        await line.NextAsync<string>(text => text == "heartbeat");
    }

    [Fact]
    public async Task Logging_out_is_seen_everywhere_at_once()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await line.NextAsync<string>(text => text == "caught up");

        await line.WriteAsync(new ClientFrame { LogOut = true });

        Assert.Equal(SessionEnded.Types.Reason.LoggedOut, (await line.NextAsync<SessionEnded>()).Reason);
        await line.ClosedAsync();
        Assert.False((await _cluster.Client(1).GetStatusAsync(new() { User = "anna" }, _cluster.Pass)).Online);
    }

    [Fact]
    public async Task A_heartbeat_is_answered()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await line.WriteAsync(new ClientFrame { Heartbeat = true });
        await line.NextAsync<string>(text => text == "heartbeat");
    }

    [Fact]
    public async Task A_node_that_stops_sends_its_clients_elsewhere()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        await _cluster.StopAsync(0);
        Assert.Equal(SessionEnded.Types.Reason.NodeStopping, (await line.NextAsync<SessionEnded>()).Reason);
    }

    [Fact]
    public async Task Without_a_majority_a_session_is_degraded_and_confirmed_later()
    {
        var anna = await RegisterAsync(_cluster, "anna");
        _cluster.Replication.IsCut = true;
        await using var line = await ChatConnection.OpenAsync(_cluster.Client(0), anna);
        Assert.True(line.Welcome!.Degraded);

        _cluster.Replication.IsCut = false;
        await line.NextAsync<string>(text => text == "caught up"); // The keeper scans and asks for a number again.
        await using var next = await ChatConnection.OpenAsync(_cluster.Client(1), anna);
        await line.ClosedAsync();
        Assert.False(next.Welcome!.Degraded);
    }

    [Fact]
    public async Task Under_reject_a_second_login_is_refused_while_the_first_session_lives()
    {
        var cluster = new ChatCluster(2, SessionPolicy.Reject);
        await cluster.InitializeAsync();
        var anna = await RegisterAsync(cluster, "anna");
        var early = await cluster.Client(1).LogInAsync(new() { User = "anna", Secret = anna.Secret });
        await using (var line = await ChatConnection.OpenAsync(cluster.Client(0), anna))
        {
            await line.NextAsync<string>(text => text == "caught up");

            var fault = await Assert.ThrowsAsync<RpcException>(
                async () => await cluster.Client(1).LogInAsync(new() { User = "anna", Secret = anna.Secret }));
            Assert.Equal(StatusCode.FailedPrecondition, fault.StatusCode);
            fault = await Assert.ThrowsAsync<RpcException>(
                async () => await cluster.Client(1).PublishKeysAsync(anna.Publication(early.Ticket)));
            Assert.Equal(StatusCode.FailedPrecondition, fault.StatusCode);
            await cluster.Client(1).LogInAsync(new() { User = "anna", Secret = anna.Secret, KnownDevice = true });

            await line.WriteAsync(new ClientFrame { LogOut = true });
            await line.ClosedAsync();
        }

        await cluster.Client(1).LogInAsync(new() { User = "anna", Secret = anna.Secret });
        await cluster.DisposeAsync();
    }

    private void AssertNewer(ChatUser user, int node, SessionEnded ended)
    {
        Assert.Equal(SessionEnded.Types.Reason.SameDevice, ended.Reason);
        var newer = ended.Newer;
        Assert.Equal(_cluster.Nodes[node].Node.ToBytes(), newer.NodeId.ToByteArray());
        Assert.True(SessionProof.Verify(
            user.Log[^1].DeviceKey, ChatCluster.Id, newer.NodeId.Span, user.Name, user.Log[^1].Epoch,
            newer.NodeNonce.Span, newer.ClientNonce.Span, newer.Signature.Span));
    }

    internal static async Task<ChatUser> RegisterAsync(ChatCluster cluster, string name)
    {
        var user = new ChatUser(name);
        await cluster.Client(0).RegisterAsync(user.Registration());
        return user;
    }

    private static async Task TakeOverAsync(ChatCluster cluster, ChatUser user, int node)
    {
        var login = await cluster.Client(node).LogInAsync(new() { User = user.Name, Secret = user.Secret });
        await cluster.Client(node).PublishKeysAsync(user.Publication(login.Ticket));
    }
}
