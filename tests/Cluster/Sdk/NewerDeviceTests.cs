using System.Diagnostics;
using ChordChat.Crypto.Keys;
using ChordChat.Sdk;
using ChordChat.Sdk.Storage;
using ChordChat.Tests.Cluster.Nodes;
using ChordChat.Wire;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Receiving, "A newer device".</summary>
public sealed class NewerDeviceTests : AliceAndBob
{
    /// <summary>A cut, a paused node or a killed one: nobody told the old session's node of the login.</summary>
    [Fact]
    public async Task A_session_that_outlives_a_login_elsewhere_deletes_nothing_that_is_for_the_newer_device()
    {
        var old = await LogInElsewhereAsync();
        var forger = new Forger(Cluster, "mallory");
        Cluster.Sessions["bob"] = old;
        forger.Send("bob", forger.Seal("bob", 1, "for the newer one"));

        Assert.Equal("taken_over", (await Bob.SeeAsync<ClientEvent.Ended>()).Reason.Code);
        Assert.Equal(1, Cluster.Accounts["bob"].MailboxCount);
        await Bob.DisposeAsync();
        await using var again = await (await Person.LogInAsync("bob", Bob.Folder, N1)).OnlineAsync();
        Assert.Equal(["for the newer one"], await again.ReadAsync(1));
        await AcknowledgedAsync();
    }

    [Fact]
    public async Task While_no_majority_shows_the_users_own_keys_such_mail_stays_and_delays_nobody()
    {
        var old = await LogInElsewhereAsync();
        Cluster.ReadsKeyLogs = false;
        var forger = new Forger(Cluster, "mallory");
        Cluster.Sessions["bob"] = old;
        forger.Send("bob", forger.Seal("bob", 1, "for the newer one"));
        Alice.Client.Send("bob", "for the old one"); // Alice has its keys still.
        Assert.Equal(["for the old one"], await Bob.ReadAsync(1));
        Assert.Equal(0, await TriesAfterAsync(calls: 3));
        Assert.Equal(1, Cluster.Accounts["bob"].MailboxCount);
    }

    /// <summary>Somebody may seal to a key that is nobody's, or leave out the recipient's.</summary>
    [Fact]
    public async Task Mail_for_a_key_that_no_log_of_the_user_has_waits_for_several_tries()
    {
        var forger = new Forger(Cluster, "mallory");
        forger.Send("bob", forger.Seal("bob", 1, "for nobody", key: Nobodys()));
        Assert.NotEqual(0, await TriesAfterAsync(calls: 3));
        Assert.Equal(1, Cluster.Accounts["bob"].MailboxCount);
    }

    /// <summary>The old session put it aside and was told of the login later.</summary>
    [Fact]
    public async Task What_waited_for_a_key_that_the_next_login_brings_waits_for_no_look_up()
    {
        var forger = new Forger(Cluster, "mallory");
        forger.Send("bob", forger.Seal("bob", 1, "1")); // From now on its keys are known here.
        Assert.Equal(["1"], await Bob.ReadAsync(1));
        var old = await LogInElsewhereAsync();
        Cluster.ReadsKeyLogs = false;
        Cluster.Sessions["bob"] = old;
        forger.Send("bob", forger.Seal("bob", 2, "for the newer one"));
        using (var store = LocalStore.Open(Path.Combine(Bob.Folder, "profile.db")))
            await WaitsAsync(store);
        old.End(SessionEnded.Types.Reason.TakenOver, Cluster.Accounts["bob"].Log!.Head.Bytes.ToArray());
        Assert.Equal("taken_over", (await Bob.SeeAsync<ClientEvent.Ended>()).Reason.Code);
        await Bob.DisposeAsync();

        await using var again = await (await Person.LogInAsync("bob", Bob.Folder, N1)).OnlineAsync();
        Assert.Equal(["for the newer one"], await again.ReadAsync(1));
        await AcknowledgedAsync();
    }

    /// <summary>A stranger who writes a line a minute has no name here that could be blocked.</summary>
    [Fact]
    public async Task Mail_for_a_key_that_is_nobodys_is_dropped_in_the_end_and_prints_no_line()
    {
        var forger = new Forger(Cluster, "mallory");
        var push = forger.Seal("bob", 1, "for nobody", key: Nobodys());
        forger.Send("bob", push);
        using (var store = LocalStore.Open(Path.Combine(Bob.Folder, "profile.db")))
        {
            await WaitsAsync(store);
            store.Write(db => db.Execute("UPDATE unjudged SET tries = 7, since_ms = since_ms - 3600000"));
        }

        await AcknowledgedAsync();
        await Bob.UntilAsync(() => Bob.Client.Dropped.Count > 0);
        Assert.StartsWith(Convert.ToHexStringLower(push.Id.Span), Assert.Single(Bob.Client.Dropped));
        Alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await Bob.ReadAsync(1));
        while (Bob.Client.Events.TryRead(out var seen))
            Assert.IsNotType<ClientEvent.Notice>(seen);
    }

    [Fact]
    public async Task A_strangers_mail_for_nobody_does_not_delay_the_look_up_for_what_comes_later()
    {
        var before = Cluster.Accounts["bob"].Log;
        var old = await LogInElsewhereAsync();
        Cluster.ShowKeys = (_, user) => user == "bob" ? before : null;
        Cluster.Sessions["bob"] = old;
        var forger = new Forger(Cluster, "mallory");
        forger.Send("bob", forger.Seal("bob", 1, "for nobody", key: Nobodys()));
        await LookedUpAsync(calls: 4); // The next one is due 8 s later.
        Cluster.ShowKeys = (_, _) => null;
        var watch = Stopwatch.StartNew();
        forger.Send("bob", forger.Seal("bob", 2, "for the newer one"));

        Assert.Equal("taken_over", (await Bob.SeeAsync<ClientEvent.Ended>()).Reason.Code);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    private EncryptionPublicKey Nobodys()
    {
        using var nobody = Cluster.Keys.Device().Encryption;
        return EncryptionPublicKey.TryImport(nobody.PublicModulus.Span)!;
    }

    private static Task WaitsAsync(LocalStore store) => Condition.UntilAsync(
        "it waits for a key of Bob's", Person.Patience,
        () => Task.FromResult(
            store.Read(db => db.Scalar<long>("SELECT count(*) FROM unjudged WHERE peer = 'bob'")) == 1));

    /// <returns>Bob's session, which nobody has ended.</returns>
    private async Task<FakeSession> LogInElsewhereAsync()
    {
        Alice.Client.Send("bob", "hello");
        Assert.Equal(["hello"], await Bob.ReadAsync(1));
        await AcknowledgedAsync();
        Assert.True(Cluster.Sessions.TryRemove("bob", out var old));
        await (await Person.LogInAsync("bob", Person.NewFolder(), N1)).DisposeAsync();
        return old;
    }

    private Task AcknowledgedAsync() => Condition.UntilAsync(
        "what Bob has read is acknowledged", Person.Patience,
        () => Task.FromResult(Cluster.Accounts["bob"].MailboxCount == 0));

    private Task LookedUpAsync(int calls)
    {
        var until = Cluster.KeyLogCalls.GetValueOrDefault("bob") + calls;
        return Condition.UntilAsync(
            "bob is looked up", Person.Patience,
            () => Task.FromResult(Cluster.KeyLogCalls.GetValueOrDefault("bob") >= until));
    }

    /// <summary>Ends the client, too.</summary>
    private async Task<long> TriesAfterAsync(int calls)
    {
        await LookedUpAsync(calls);
        await Bob.DisposeAsync();
        using var store = LocalStore.Open(Path.Combine(Bob.Folder, "profile.db"));
        return store.Read(db => db.Scalar<long>("SELECT max(tries) FROM unjudged WHERE peer = 'bob'"));
    }
}
