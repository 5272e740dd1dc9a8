using ChordChat.Sdk;
using ChordChat.Sdk.Profiles;
using ChordChat.Tests.Cluster.Nodes;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Session: a profile and its copy, both open, do not throw each other out for ever.</summary>
public sealed class CopiedProfileTests : IAsyncLifetime, IDisposable
{
    /// <summary>Three sessions of each, what a late node may add, and those of the new device.</summary>
    private const int SessionsMax = 12;

    private readonly FakeCluster _cluster = new();
    private readonly List<Person> _alices = [];
    private FakeNode _n1 = null!;

    public async Task InitializeAsync()
    {
        _n1 = await _cluster.AddNodeAsync("n1");
        await _cluster.AddNodeAsync("n2");
        var alice = await Person.RegisterAsync("alice", _n1);
        await alice.DisposeAsync();
        var copy = Person.NewFolder();
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.GetFiles(alice.Folder))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        foreach (var folder in (string[])[alice.Folder, copy])
            _alices.Add(Person.Open(folder, _n1));
    }

    public async Task DisposeAsync()
    {
        foreach (var alice in _alices)
            await alice.DisposeAsync();
        foreach (var node in _cluster.Nodes.Values)
            await node.DisposeAsync();
    }

    public void Dispose() => _cluster.Dispose();

    /// <summary>Both at the same instant, and whoever of the two renews.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_of_them_becomes_a_new_device_and_the_other_one_is_closed_and_told_why(bool finderRenews)
    {
        var (finder, other) = await FightAsync();
        Assert.InRange(_cluster.SessionCalls.Count, 4, SessionsMax - 2);
        if (finderRenews)
            await finder.Client.BecomeNewDeviceAsync(Person.Password);
        else
        {
            MarkCopied(other); // It hears of a fork from a contact.
            await other.Client.BecomeNewDeviceAsync(Person.Password);
        }

        var (stays, goes) = finderRenews ? (finder, other) : (other, finder);
        var ended = (await goes.SeeAsync<ClientEvent.Ended>()).Reason;
        Assert.Equal("taken_over", ended.Code);
        Assert.Contains("logged in on another device", ended.Message, StringComparison.Ordinal);
        Assert.Contains("chordchat login alice", ended.Hint, StringComparison.Ordinal);
        Assert.Equal(2u, _cluster.Accounts["alice"].Log!.Head.Epoch);

        await using var bob = await (await Person.RegisterAsync("bob", _n1)).OnlineAsync();
        bob.Client.Send("alice", "hello");
        Assert.Equal(["hello"], await stays.ReadAsync(1));
        await stays.SeeAsync<ClientEvent.Connected>(again => again.Why is ""); // No node is gone.
        Assert.InRange(_cluster.SessionCalls.Count(user => user == "alice"), 4, SessionsMax);
    }

    [Fact]
    public async Task Both_may_try_to_become_a_new_device_at_once()
    {
        var (finder, other) = await FightAsync();
        MarkCopied(other);
        var renewals = await Task.WhenAll(RenewAsync(finder), RenewAsync(other));
        Assert.Single(renewals, code => code.Length == 0);
        var goes = renewals[0].Length > 0 ? finder : other;
        Assert.Equal("taken_over", (await goes.SeeAsync<ClientEvent.Ended>()).Reason.Code);
        Assert.Equal(2u, _cluster.Accounts["alice"].Log!.Head.Epoch);
    }

    [Fact]
    public async Task Who_is_not_to_become_a_new_device_ends_and_the_other_one_keeps_the_session()
    {
        var (finder, other) = await FightAsync();
        finder.Client.StayOldDevice();
        var ended = (await finder.SeeAsync<ClientEvent.Ended>()).Reason;
        Assert.Equal("copied_profile", ended.Code);
        Assert.Contains("close the copy", ended.Hint, StringComparison.Ordinal);
        Assert.NotNull(other.Client.Node);
        Assert.Equal(1u, _cluster.Accounts["alice"].Log!.Head.Epoch);
    }

    /// <summary>A profile renews itself once a day at most: docs/e2e.md, Order.</summary>
    [Fact]
    public async Task Who_became_a_new_device_a_short_time_ago_ends_at_once()
    {
        foreach (var alice in _alices)
            Remember(alice, DateTimeOffset.UtcNow);
        foreach (var alice in _alices)
            alice.Client.Start();
        var ended = await await Task.WhenAny(_alices.Select(alice => alice.SeeAsync<ClientEvent.Ended>()));
        Assert.Equal("copied_profile", ended.Reason.Code);
    }

    /// <returns>Who found out, and the other one, who has the session.</returns>
    private async Task<(Person Finder, Person Other)> FightAsync()
    {
        foreach (var alice in _alices)
            alice.Client.Start();
        await Condition.UntilAsync(
            "one has found out, and the other one has the session", Person.Patience,
            () => Task.FromResult(_alices.Any(alice => alice.IsCopied)
                && _alices.Any(alice => !alice.IsCopied && alice.Client.Node is not null)));
        var finder = _alices.Single(alice => alice.IsCopied);
        Assert.True((await finder.SeeAsync<ClientEvent.Copied>()).IsOpenElsewhere);
        await finder.SeeAsync<ClientEvent.Connected>(
            again => again.Why == "another program with this profile's keys took over the session");
        return (finder, _alices.Single(alice => alice != finder));
    }

    private static async Task<string> RenewAsync(Person alice)
    {
        try
        {
            await alice.Client.BecomeNewDeviceAsync(Person.Password);
            return "";
        }
        catch (ChordChatException cause)
        {
            return cause.Code;
        }
    }

    private static void MarkCopied(Person alice)
    {
        using var profile = Profile.Open(alice.Folder);
        Assert.True(profile.Store.Write(db =>
            Profile.MarkCopied(db, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds())));
    }

    private static void Remember(Person alice, DateTimeOffset renewedAt)
    {
        using var profile = Profile.Open(alice.Folder);
        profile.Store.Write(db => ChordChat.Sdk.Storage.Sql.Execute(
            db, "INSERT INTO facts (name, value) VALUES ('renewed', $1)",
            BitConverter.GetBytes(renewedAt.ToUnixTimeMilliseconds())));
    }
}
