using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

public sealed class ClientSessionTests : TwoFakeNodes
{
    [Fact]
    public async Task Two_people_on_two_nodes_chat_in_order_and_see_what_became_of_each_message()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        var ids = Enumerable.Range(1, 10).Select(i => alice.Client.Send("bob", $"hello {i}")).ToList();
        Assert.Equal(Enumerable.Range(1, 10).Select(i => $"hello {i}"), await bob.ReadAsync(10));
        bob.Client.Send("alice", "hello back");
        Assert.Equal(["hello back"], await alice.ReadAsync(1));
        var last = await alice.WaitAsync(ids[^1], MessageState.Delivered);
        Assert.Equal(MessageState.Delivered, last.State);
        Assert.Equal(["n1", "n2", "n3"], last.Copies);
        Assert.Equal(3, last.Of);
    }

    /// <summary>As /logout in the console does while `tail` runs beside it.</summary>
    [Fact]
    public async Task A_client_that_waits_for_its_turn_ends_when_the_device_is_logged_out()
    {
        var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        await using var beside = Person.Open(alice.Folder, N1);
        beside.Client.Start();
        alice.Client.ForgetDevice();
        await alice.DisposeAsync();

        Assert.Equal("not_logged_in", (await beside.SeeAsync<ClientEvent.Ended>()).Reason.Code);
        Assert.Single(Cluster.Hellos);
    }

    [Fact]
    public async Task A_node_that_cannot_tell_ends_no_client_which_goes_to_another()
    {
        Cluster.Refuse = node => node.Name == "n1"
            ? new SessionEnded { Reason = SessionEnded.Types.Reason.Elsewhere, Text = "this node cannot tell" }
            : null;
        await using var alice = await Person.RegisterAsync("alice", N1, N2);

        alice.Client.Start();

        Assert.Equal("n2", (await alice.SeeAsync<ClientEvent.Connected>()).Node);
    }

    [Fact]
    public async Task A_client_whose_node_dies_is_on_another_within_five_seconds_and_loses_nothing()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        alice.Client.Send("bob", "before");
        Assert.Equal(["before"], await bob.ReadAsync(1));
        var start = Environment.TickCount64;
        await N1.KillAsync();
        alice.Client.Send("bob", "in between");
        var back = await alice.SeeAsync<ClientEvent.Connected>();
        Assert.InRange(Environment.TickCount64 - start, 0, 5000);
        Assert.Equal(("n2", "n1"), (back.Node, back.Lost));
        alice.Client.Send("bob", "after");
        Assert.Equal(["in between", "after"], await bob.ReadAsync(2));
    }

    /// <summary>The session and single calls share a link; either may find out first that its node is gone.</summary>
    [Fact]
    public async Task A_session_on_a_link_that_has_just_been_dropped_has_failed_as_any_other_does()
    {
        using var profile = Profile.Open(Person.NewFolder());
        profile.Trust.Expect(Cluster.Authority.RawData);
        using var accounts = new Accounts(profile, Person.Search(N1)) { Keys = Cluster.KeySource };
        using var me = await accounts.RegisterAsync("alice", Person.Password);
        var link = await NodeLink.OpenAsync(N1.Address, profile.Trust, CancellationToken.None);
        link.Dispose();
        var failed = await Assert.ThrowsAsync<RpcException>(
            () => Session.OpenAsync(link, me.RequireDevice(), new byte[32], CancellationToken.None));
        Assert.Equal(StatusCode.Unavailable, failed.StatusCode);
    }

    [Fact]
    public async Task Messages_wait_for_a_client_that_is_offline()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await bob.DisposeAsync();
        var ids = Enumerable.Range(1, 100).Select(i => alice.Client.Send("bob", $"{i}")).ToList();
        Assert.Equal(MessageState.Kept, (await alice.WaitAsync(ids[^1], MessageState.Kept)).State);
        await using var again = await (await Person.LogInAsync("bob", bob.Folder, N2)).OnlineAsync();
        Assert.Equal(Enumerable.Range(1, 100).Select(i => $"{i}"), await again.ReadAsync(100));
        await alice.WaitAsync(ids[^1], MessageState.Delivered);
        Assert.Equal(0, Cluster.Accounts["bob"].MailboxCount);
    }

    [Fact]
    public async Task What_is_pushed_twice_or_out_of_order_is_shown_once_and_in_order()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await bob.DisposeAsync();
        var ids = Enumerable.Range(1, 6).Select(i => alice.Client.Send("bob", $"{i}")).ToList();
        await alice.WaitAsync(ids[^1], MessageState.Kept);
        Cluster.Tamper = pushes => [.. pushes.Reverse(), .. pushes];
        await using var again = await (await Person.LogInAsync("bob", bob.Folder, N2)).OnlineAsync();
        Assert.Equal(["1", "2", "3", "4", "5", "6"], await again.ReadAsync(6));
    }

    [Fact]
    public async Task A_message_that_never_comes_is_shown_as_missing_after_a_while()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        alice.Client.Send("bob", "1");
        await bob.ReadAsync(1);
        Cluster.Tamper = _ => [];
        var lost = alice.Client.Send("bob", "2");
        await alice.WaitAsync(lost, MessageState.Kept);
        Cluster.Tamper = pushes => [.. pushes.Where(push => Convert.ToHexStringLower(push.Id.Span) != lost)];
        alice.Client.Send("bob", "3");
        Assert.Equal(["3"], await bob.ReadAsync(1));
        Assert.Equal(1, bob.Client.History.With("alice")[^1].MissingBefore);
    }

    /// <summary>docs/e2e.md, Receiving.</summary>
    [Fact]
    public async Task A_message_that_one_bad_copy_spoils_is_asked_for_again_and_shown()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        Cluster.Tamper = pushes =>
        {
            Cluster.Tamper = again => again;
            return [.. pushes.Select(Spoil)];
        };
        alice.Client.Send("bob", "x");
        Assert.Equal(["x"], await bob.ReadAsync(1));
        Assert.Single(bob.Client.Doubted);
        Assert.Empty(bob.Client.Dropped);
    }

    /// <summary>docs/e2e.md, Receiving.</summary>
    [Fact]
    public async Task What_is_not_genuine_at_the_second_look_is_dropped_for_good()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        Cluster.Tamper = pushes => [.. pushes.Select(Spoil)];
        alice.Client.Send("bob", "x");
        await Condition.UntilAsync(
            "the second look", TimeSpan.FromSeconds(30),
            () => Task.FromResult(bob.Client.Dropped.Count == 1 && Cluster.Accounts["bob"].MailboxCount == 0));
    }

    [Fact]
    public async Task Queued_is_not_called_kept()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        Cluster.HasQuorum = false;
        var id = alice.Client.Send("bob", "x");
        Assert.Equal(MessageState.Queued, (await alice.WaitAsync(id, MessageState.Queued)).State);
        Cluster.HasQuorum = true;
        await N1.KillAsync(); // A new session sends it again.
        Assert.True((await alice.WaitAsync(id, MessageState.Kept)).State >= MessageState.Kept);
        Assert.Equal(["x"], await bob.ReadAsync(1));
    }

    /// <summary>docs/operations.md, "Limits": more than a frame may have waits in the outbox.</summary>
    [Fact]
    public async Task Many_long_messages_that_waited_do_not_break_the_session()
    {
        await using var alice = await Person.RegisterAsync("alice", N1);
        await using var bob = await Person.RegisterAsync("bob", N1);
        var ids = Enumerable.Range(0, 70).Select(_ => alice.Client.Send("bob", new string('x', 60_000))).ToList();
        await alice.OnlineAsync();
        foreach (var id in ids)
            Assert.Equal(MessageState.Kept, (await alice.WaitAsync(id, MessageState.Kept)).State);
    }

    /// <summary>docs/protocol.md, "Without a quorum".</summary>
    [Fact]
    public async Task What_a_node_has_forgotten_that_no_majority_keeps_is_handed_in_again_in_the_same_session()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        Cluster.HasQuorum = false; // This node never tries again by itself.
        var id = alice.Client.Send("bob", "x");
        Assert.Equal(MessageState.Queued, (await alice.WaitAsync(id, MessageState.Queued)).State);
        Cluster.HasQuorum = true;
        Assert.Equal(["x"], await bob.ReadAsync(1));
        Assert.True(
            (await alice.WaitAsync(id, MessageState.Kept)).State is MessageState.Kept or MessageState.Delivered);
        Assert.InRange(Cluster.AgesMs[id], 1_000ul, 600_000ul); // docs/protocol.md#tombstones
    }

    [Fact]
    public async Task A_login_on_a_new_device_closes_the_old_one_and_reads_the_mail_of_both()
    {
        var (alice, bob) = await TwoAsync();
        await using var _ = alice;
        await using var __ = bob;
        await using var second = await Person.LogInAsync("bob", Person.NewFolder(), N2);
        var ended = await bob.SeeAsync<ClientEvent.Ended>();
        Assert.Equal("taken_over", ended.Reason.Code);
        using (var lease = new SessionLease(bob.Folder))
            Assert.True(lease.TryTake()); // As "chordchat login bob" on this machine does.
        alice.Client.Send("bob", "sealed for the old device"); // Alice's copy of bob's keys is still fresh enough.
        await second.OnlineAsync();
        Assert.Equal(["sealed for the old device"], await second.ReadAsync(1));
        second.Client.Send("alice", "from the new device");
        Assert.Equal(["from the new device"], await alice.ReadAsync(1));
    }

    private static Push Spoil(Push push)
    {
        var envelope = push.Envelope.ToByteArray();
        envelope[^1] ^= 1;
        return new Push { Id = push.Id, Envelope = ByteString.CopyFrom(envelope) };
    }

    private async Task<(Person Alice, Person Bob)> TwoAsync()
    {
        var people = await Task.WhenAll(Person.RegisterAsync("alice", N1), Person.RegisterAsync("bob", N2));
        return (await people[0].OnlineAsync(), await people[1].OnlineAsync());
    }
}
