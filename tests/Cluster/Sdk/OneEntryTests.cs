using ChordChat.Sdk;
using ChordChat.Sdk.Accounts;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Profiles;
using Grpc.Core;
using Xunit;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, New device: a profile signs one entry for one place of the key log, whatever nodes say and
/// wherever the program ends, and no log shorter than the one it knows moves it to sign anything.</summary>
public sealed class OneEntryTests : IAsyncLifetime, IDisposable
{
    private static readonly RpcException Unclear = new(new Status(StatusCode.Internal, "nobody knows"));

    private readonly FakeCluster _cluster = new();
    private FakeNode _n1 = null!;
    private FakeNode _n2 = null!;

    public async Task InitializeAsync()
    {
        _n1 = await _cluster.AddNodeAsync("n1");
        _n2 = await _cluster.AddNodeAsync("n2");
        await (await Person.RegisterAsync("alice", _n2)).DisposeAsync();
    }

    public async Task DisposeAsync()
    {
        await _n1.DisposeAsync();
        await _n2.DisposeAsync();
    }

    public void Dispose() => _cluster.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_login_that_is_not_clear_is_finished_with_the_same_entry(bool tookEffect)
    {
        var folder = Person.NewFolder();
        _cluster.PublishFault = node => node == _n1 ? (Unclear, tookEffect) : null;
        await Assert.ThrowsAsync<ChordChatException>(() => Person.LogInAsync("alice", folder, _n1));
        _cluster.PublishFault = _ => null;

        await using var alice = await (await Person.LogInAsync("alice", folder, _n2)).OnlineAsync();
        Assert.Single(_cluster.EntriesSeen.Select(entry => entry.Hash).Distinct());
        Assert.Equal(2u, Log.Head.Epoch);
    }

    /// <summary>The node keeps the entry back, and shows the log as it was.</summary>
    [Fact]
    public async Task Another_entry_is_signed_only_on_top_of_another_device_that_was_faster()
    {
        var folder = Person.NewFolder();
        _cluster.PublishFault = node => node == _n1 ? (Unclear, false) : null;
        for (var tries = 1; tries <= 3; tries++)
            await Assert.ThrowsAsync<ChordChatException>(() => Person.LogInAsync("alice", folder, _n1));
        Assert.Single(_cluster.EntriesSeen.Select(entry => entry.Hash).Distinct());

        await (await Person.LogInAsync("alice", Person.NewFolder(), _n2)).DisposeAsync();
        await using var alice = await (await Person.LogInAsync("alice", folder, _n2)).OnlineAsync();
        Assert.Equal([1UL, 1, 2], _cluster.EntriesSeen.DistinctBy(entry => entry.Hash).Select(entry => entry.Seq));
        Assert.Equal(3u, Log.Head.Epoch);
    }

    /// <summary>It says yes, and keeps the entry back.</summary>
    [Fact]
    public async Task Who_logs_out_after_a_lie_hands_the_same_entry_in_before_the_next()
    {
        var first = Log;
        var folder = Person.NewFolder();
        await (await Person.LogInAsync("alice", folder, _n1)).DisposeAsync();
        var account = _cluster.Accounts["alice"];
        (account.Log, var keyring) = (first, account.Keyrings[1]);
        account.Keyrings.RemoveAt(1);
        using (var profile = Profile.Open(folder))
        using (var me = profile.Unlock(Person.Password))
            me.ForgetDevice(me.OwnLog);

        await using var alice = await (await Person.LogInAsync("alice", folder, _n2)).OnlineAsync();
        Assert.Equal(keyring, account.Keyrings[1]);
        Assert.Equal([1UL, 2], _cluster.EntriesSeen.DistinctBy(entry => entry.Hash).Select(entry => entry.Seq));
    }

    /// <summary>Nobody else knows the device then, and its sessions are refused everywhere.</summary>
    [Fact]
    public async Task After_a_lie_the_entry_that_is_in_the_profile_is_handed_in_again()
    {
        var first = Log;
        var folder = Person.NewFolder();
        await (await Person.LogInAsync("alice", folder, _n1)).DisposeAsync();
        var account = _cluster.Accounts["alice"];
        account.Log = first;
        account.Keyrings.RemoveAt(1);
        _cluster.PublishFault = node => node == _n1 ? (Unclear, false) : null;

        using (var profile = Profile.Open(folder))
        using (var accounts = new Accounts(profile, Person.Search(_n1, _n2)) { Keys = _cluster.KeySource })
            await accounts.HandInAgainAsync("alice", Person.Password);

        Assert.Equal(2u, Log.Head.Epoch);
        await using var alice = await Open(folder).OnlineAsync();
        Assert.Equal([1UL], _cluster.EntriesSeen.DistinctBy(entry => entry.Hash).Select(entry => entry.Seq));
    }

    /// <summary>Also on a machine that knows nothing yet: other nodes are asked first.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_signed_on_top_of_an_older_log(bool isCopy)
    {
        var first = Log;
        var folder = Person.NewFolder();
        await (await Person.LogInAsync("alice", folder, _n2)).DisposeAsync();
        await (await Person.LogInAsync("alice", Person.NewFolder(), _n2)).DisposeAsync();
        folder = isCopy ? folder : Person.NewFolder();
        if (isCopy)
            MarkCopied(folder);
        _cluster.ShowKeys = (node, user) => node == _n1 && user == "alice" ? first : null;
        await using var alice = await (await Person.LogInAsync(
            "alice", folder, Person.Search(_n1.Address, _n2.Address))).OnlineAsync();
        Assert.Equal(4u, Log.Head.Epoch);
        Assert.Equal([1UL, 2, 3], _cluster.EntriesSeen.DistinctBy(entry => entry.Hash).Select(entry => entry.Seq));
    }

    [Fact]
    public async Task A_copied_profile_signs_nothing_on_a_log_that_is_not_the_one_it_knows_and_names_the_node()
    {
        var first = Log;
        var folder = Person.NewFolder();
        await (await Person.LogInAsync("alice", folder, _n2)).DisposeAsync();
        MarkCopied(folder);
        ForgetSigned(folder); // As an older program left it.
        var seen = _cluster.EntriesSeen.Count;
        _cluster.ShowKeys = (_, user) => user == "alice" ? first : null;
        var refused = await Assert.ThrowsAsync<ChordChatException>(() => Person.LogInAsync("alice", folder, _n1));
        Assert.Equal("bad_keyring", refused.Code);
        Assert.Contains("n1 at", refused.Message, StringComparison.Ordinal);
        Assert.Equal(seen, _cluster.EntriesSeen.Count);
    }

    /// <summary>Where a copied profile's change into a new device stops: what waits in it goes out all the same.
    /// </summary>
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task A_renewal_that_stops_half_way_is_finished_and_leaves_nothing_unsent(
        bool tookEffect, bool isRestarted)
    {
        await using var bob = await (await Person.RegisterAsync("bob", _n2)).OnlineAsync();
        var folder = Person.NewFolder();
        await (await Person.LogInAsync("alice", folder, _n2)).DisposeAsync();
        MarkCopied(folder);
        var alice = Open(folder);
        var id = alice.Client.Send("bob", "waits");
        _cluster.PublishFault = _ => (Unclear, tookEffect);
        await Assert.ThrowsAsync<ChordChatException>(() => alice.Client.BecomeNewDeviceAsync(Person.Password));
        _cluster.PublishFault = _ => null;
        if (isRestarted)
        {
            await alice.DisposeAsync();
            alice = Open(folder);
        }

        await using (alice)
        {
            await alice.OnlineAsync();
            if (!tookEffect)
                await alice.Client.BecomeNewDeviceAsync(Person.Password);
            await alice.WaitAsync(id, MessageState.Delivered);
            Assert.Equal(["waits"], await bob.ReadAsync(1));
            Assert.Empty(alice.Client.History.Unsent());
            Assert.Equal(3u, Log.Head.Epoch);
            Assert.Equal([1UL, 2], _cluster.EntriesSeen.DistinctBy(entry => entry.Hash).Select(entry => entry.Seq));
        }

        using var profile = Profile.Open(folder);
        Assert.False(profile.IsCopied);
    }

    [Fact]
    public async Task A_renewal_gives_up_when_another_device_took_over()
    {
        var folder = Person.NewFolder();
        await (await Person.LogInAsync("alice", folder, _n2)).DisposeAsync();
        MarkCopied(folder);
        await using var alice = Open(folder);
        _cluster.PublishFault = _ => (Unclear, false);
        await Assert.ThrowsAsync<ChordChatException>(() => alice.Client.BecomeNewDeviceAsync(Person.Password));
        _cluster.PublishFault = _ => null;
        await using var other = await (await Person.LogInAsync("alice", Person.NewFolder(), _n2)).OnlineAsync();
        var late = await Assert.ThrowsAsync<ChordChatException>(
            () => alice.Client.BecomeNewDeviceAsync(Person.Password));
        Assert.Equal("taken_over", late.Code);
        alice.Client.Start();
        Assert.Equal("taken_over", (await alice.SeeAsync<ClientEvent.Ended>()).Reason.Code);
        Assert.Equal(3u, Log.Head.Epoch);
    }

    private KeyLog Log => _cluster.Accounts["alice"].Log!;

    private Person Open(string folder) => Person.Open(folder, _n2);

    private static void MarkCopied(string folder)
    {
        using var profile = Profile.Open(folder);
        Assert.True(profile.Store.Write(db =>
            Profile.MarkCopied(db, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds())));
    }

    private static void ForgetSigned(string folder)
    {
        using var profile = Profile.Open(folder);
        profile.Store.Write(db => ChordChat.Sdk.Storage.Sql.Execute(
            db, "DELETE FROM facts WHERE name IN ('signed-entry', 'own-log')"));
    }
}
