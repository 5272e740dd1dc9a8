using ChordChat.Crypto.KeyLogs;
using ChordChat.Crypto.Keys;
using ChordChat.Sdk;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Wire;
using Grpc.Core;
using Xunit;
using KdfParameters = ChordChat.Crypto.Passwords.KdfParameters;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Pins and Session: one node's lie ends neither a conversation nor a client.</summary>
public sealed class LyingNodeTests : TwoFakeNodes
{
    [Fact]
    public async Task A_node_that_shows_made_up_keys_is_named_and_ends_no_conversation()
    {
        await using var bob = await (await Person.RegisterAsync("bob", N2)).OnlineAsync();
        string folder;
        await using (var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync())
        {
            alice.Client.Send("bob", "before");
            Assert.Equal(["before"], await bob.ReadAsync(1));
            folder = alice.Folder;
        }

        var madeUp = MadeUp("bob", out _);
        Cluster.ShowKeys = (node, user) => node == N1 && user == "bob" ? madeUp : null;
        await using var again = await (await Person.LogInAsync("alice", folder, N1)).OnlineAsync();
        again.Client.Send("bob", "after");
        Assert.Equal(["after"], await bob.ReadAsync(1));
        await again.SeeAsync<ClientEvent.Notice>(notice => notice.Text.Contains("n1 at"));
        Assert.Equal(PinState.New, again.Client.People.KeysOf("bob"));
    }

    /// <summary>docs/e2e.md, Known nodes.</summary>
    [Fact]
    public async Task A_node_that_names_many_nodes_takes_no_other_from_its_client()
    {
        Cluster.Introduce = info =>
        {
            info.Nodes.Clear();
            info.Nodes.Add(Enumerable.Range(1, 64).Select(port => new NodeAddress { Address = $"127.0.0.1:{port}" }));
        };
        var (id1, id2) = (Convert.ToHexString(N1.Id), Convert.ToHexString(N2.Id));
        var pool = new NodePool(
            new NodeSearch { AskNetwork = false }, new ClusterTrust(null), [new(N2.Address, id2)]);
        using (var link = await NodeLink.OpenAsync(N1.Address, pool.Trust, CancellationToken.None))
            pool.Meet(link);
        Assert.Superset(
            new HashSet<KnownNode>([new(N1.Address, id1), new(N2.Address, id2)]), pool.Known.ToHashSet());
        using var other = await pool.OpenAsync(avoid: N1.Address, CancellationToken.None);
        Assert.Equal(N2.Id, other.NodeId);
    }

    [Theory]
    [InlineData(SessionEnded.Types.Reason.TakenOver)]
    [InlineData(SessionEnded.Types.Reason.Refused)]
    [InlineData(SessionEnded.Types.Reason.LoggedOut)]
    public async Task An_ending_that_nothing_proves_means_try_elsewhere(SessionEnded.Types.Reason reason)
    {
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        Cluster.Refuse = node => node == N1 ? new SessionEnded { Reason = reason, Text = "so it says" } : null;
        Cluster.Sessions["alice"].End(reason, text: "so it says");
        Assert.Equal("n2", (await alice.SeeAsync<ClientEvent.Connected>()).Node);
        Assert.True(alice.Client.History.Chats().Count == 0);
    }

    [Fact]
    public async Task One_node_that_knows_no_such_user_while_the_other_cannot_say_refuses_no_message()
    {
        await using var bob = await (await Person.RegisterAsync("bob", N2)).OnlineAsync();
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        Cluster.ShowKeys = (node, user) => user != "bob" ? null : throw new RpcException(new Status(
            node == N1 ? StatusCode.NotFound : StatusCode.Unavailable, "so it says"));
        var failed = await Assert.ThrowsAsync<ChordChatException>(() => alice.Client.People.CheckExistsAsync("bob"));
        Assert.Equal("unavailable", failed.Code);
        Assert.False(await alice.Client.People.IsNobodyAsync("bob"));
        var id = alice.Client.Send("bob", "hello");
        await alice.SeeAsync<ClientEvent.Notice>(notice => notice.Text.Contains("waits on this machine"));
        Assert.Equal(MessageState.Waiting, alice.Client.History.Find(id)!.State);
        Cluster.ShowKeys = (_, _) => null;
        Assert.Equal(["hello"], await bob.ReadAsync(1));
    }

    /// <summary>It serves the session and everything else.</summary>
    [Fact]
    public async Task A_node_that_never_answers_for_somebodys_keys_leaves_time_to_ask_others()
    {
        await using var bob = await (await Person.RegisterAsync("bob", N2)).OnlineAsync();
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        Cluster.HangsKeyLog = (node, user) => node == N1 && user == "bob";
        alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await bob.ReadAsync(1));
    }

    /// <summary>None is cut off for the sake of others if there are no others left.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Where_every_node_needs_longer_than_one_may_take_the_last_one_is_heard(int nodes)
    {
        await using var n3 = nodes > 2 ? await Cluster.AddNodeAsync("n3") : null;
        await using var bob = await (await Person.RegisterAsync("bob", N2)).OnlineAsync();
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        Cluster.KeyLogTakes = user => user == "bob" ? TimeSpan.FromSeconds(3.6) : TimeSpan.Zero;
        alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await bob.ReadAsync(1));
    }

    [Fact]
    public async Task A_name_that_nobody_has_is_nobodys_once_more_than_half_of_the_nodes_say_so()
    {
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        Assert.True(await alice.Client.People.IsNobodyAsync("nobody"));
    }

    [Fact]
    public async Task Sending_asks_once_after_an_identity_was_rotated()
    {
        var alice = await Person.RegisterAsync("alice", N1);
        var log = MadeUp("bob", out var identity);
        Cluster.Accounts["bob"] = new FakeAccount("secret", []) { Log = log };
        await alice.Client.People.CheckExistsAsync("bob");
        using var next = Cluster.Keys.Identity();
        var entry = KeyLogEntryBuilder.RotateIdentity(
            log.Head, log.Head.TimeMs + 1, identity, next, Cluster.Keys.Device(), default, KdfParameters.New());
        Cluster.Accounts["bob"].Log = log.Append(entry.Bytes.Span);

        var folder = alice.Folder;
        await alice.DisposeAsync();
        await using var again = await (await Person.LogInAsync("alice", folder, N1)).OnlineAsync();
        var asked = await Assert.ThrowsAsync<ChordChatException>(() => again.Client.People.CheckExistsAsync("bob"));
        Assert.Equal("identity_changed", asked.Code);
        var id = again.Client.Send("bob", "to the new one");
        Assert.NotEmpty(await again.Client.People.SafetyNumberAsync("bob"));
        Assert.Equal(MessageState.Waiting, again.Client.History.Find(id)!.State);
        again.Client.People.AcceptIdentity("bob");
        Assert.Equal(MessageState.Kept, (await again.WaitAsync(id, MessageState.Kept)).State);
    }

    private KeyLog MadeUp(string user, out IdentityKey identity)
    {
        identity = Cluster.Keys.Identity();
        var entry = KeyLogEntryBuilder.Create(
            Cluster.Id, user, 1_764_000_000_000, identity, Cluster.Keys.Device(), default, KdfParameters.New());
        return KeyLog.Verify(Cluster.Id, user, [entry.Bytes.ToArray()])!;
    }
}
