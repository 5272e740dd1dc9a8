using ChordChat.Sdk;
using ChordChat.Sdk.Profiles;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Session: a node whose connection lives and which does nothing else keeps no client.</summary>
public sealed class SilentSessionTests : TwoFakeNodes
{
    [Fact]
    public async Task A_copied_profile_becomes_a_new_device_though_the_node_does_not_end_its_session()
    {
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        using (var profile = Profile.Open(alice.Folder))
            Assert.True(profile.Store.Write(db => Profile.MarkCopied(db, 1)));
        Cluster.IsStuck = _ => true;
        await alice.Client.BecomeNewDeviceAsync(Person.Password).WaitAsync(Person.Patience);
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
        await alice.SeeAsync<ClientEvent.Connected>();
    }

    [Fact]
    public async Task A_node_that_answers_no_heartbeat_is_left_for_another_one()
    {
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        Cluster.IsStuck = node => node == N1;
        Assert.Equal("n2", (await alice.SeeAsync<ClientEvent.Connected>()).Node);
    }

    [Fact]
    public async Task A_node_that_answers_heartbeats_and_has_nothing_else_to_say_keeps_its_client()
    {
        await using var alice = await (await Person.RegisterAsync("alice", N1)).OnlineAsync();
        var lost = alice.SeeAsync<ClientEvent.Disconnected>();
        await Assert.ThrowsAsync<TimeoutException>(
            () => lost.WaitAsync(ChordChat.Sdk.Sessions.SessionLoop.SilenceMax + TimeSpan.FromSeconds(5)));
    }
}
