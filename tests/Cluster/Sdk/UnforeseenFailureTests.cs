using System.Collections.Concurrent;
using ChordChat.Sdk;
using ChordChat.Sdk.Keys;
using ChordChat.Sdk.Messages;
using ChordChat.Sdk.Nodes;
using ChordChat.Sdk.Profiles;
using ChordChat.Sdk.Sessions;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>docs/e2e.md, Session: a failure that nobody foresaw while a node serves is taken for that node's, and told
/// once for each.</summary>
public sealed class UnforeseenFailureTests : TwoFakeNodes
{
    [Fact]
    public async Task Another_node_is_tried_and_a_person_hears_of_it_once_for_each_node()
    {
        var told = new Told(new InvalidOperationException("odd"), timesMax: 3);
        using var stop = new CancellationTokenSource();
        var running = await RunAsync(told, stop.Token);
        await told.Served.Task.WaitAsync(Person.Patience);
        const string Failure = "made this program fail: InvalidOperationException: odd";
        Assert.Equal(
            [$"n1 {Failure}", $"n2 {Failure}"],
            told.Events.OfType<ClientEvent.Notice>().Select(notice => notice.Text.Split(" (at ")[0]).Order());
        Assert.Equal(3, told.Events.OfType<ClientEvent.Disconnected>().Count());
        Assert.Equal(
            ["n1", "n2"], told.Events.OfType<ClientEvent.Connected>().Select(connected => connected.Node).Distinct()
                .Order());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>What the local disk says is no node's fault.</summary>
    [Fact]
    public async Task A_failure_of_the_local_disk_ends_the_client_as_ever()
    {
        foreach (var failure in (Exception[])
            [new ChordChatException("profile_not_writable", "full", "-"), new SqliteException("malformed", 11)])
        {
            var told = new Told(failure, timesMax: 1);
            var running = await RunAsync(told, CancellationToken.None);
            Assert.Same(failure, await Assert.ThrowsAnyAsync<Exception>(() => running.WaitAsync(Person.Patience)));
        }
    }

    /// <summary>It may have been stopped while it wrote.</summary>
    [Theory, InlineData(5), InlineData(6)]
    public async Task While_another_program_holds_the_profile_the_client_tries_again(int code)
    {
        var told = new Told(new SqliteException("locked", code), timesMax: 2);
        using var stop = new CancellationTokenSource();
        var running = await RunAsync(told, stop.Token);
        await told.Served.Task.WaitAsync(Person.Patience);
        Assert.Equal(2, told.Events.OfType<ClientEvent.Disconnected>().Count());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>A client without its surface.</summary>
    private async Task<Task> RunAsync(Told told, CancellationToken stopping)
    {
        string folder;
        await using (var alice = await Person.RegisterAsync($"alice{Cluster.Accounts.Count}", N1))
            folder = alice.Folder;
        return Task.Run(
            async () =>
            {
                using var profile = Profile.Open(folder);
                using var me = profile.Unlock(Person.Password);
                var pool = new NodePool(Person.Search(N1, N2), profile.Trust, profile.KnownNodes);
                using var links = new NodeLinks(pool, new UserPass(profile, () => me.Device));
                using var lease = new SessionLease(folder);
                var changed = new ChangeSignal();
                var messages = new MessageTable(me.User, me.Key);
                var keys = new KeyBook(me, new KeyQuestions(me.Cluster, links, told.Tell), told.Tell);
                var outbox = new Outbox(me, keys, messages, TimeProvider.System);
                var inbox = new Inbox(me, keys, messages, TimeProvider.System, told);
                using var keeper = new SessionKeeper(
                    me, links, keys, outbox, inbox, new UnjudgedMail(me.Store, TimeProvider.System),
                    new GapWatch(inbox, changed, TimeProvider.System),
                    new Receipts(me.Store, outbox, TimeProvider.System), new Circle(me.Store, changed), changed, lease,
                    told, new FailureReports(told.Tell));
                await keeper.RunAsync(stopping);
            },
            CancellationToken.None);
    }

    /// <summary>Fails at the end of each of the first readings of the mailbox.</summary>
    private sealed class Told(Exception failure, int timesMax) : IClientSink
    {
        private int _times;

        public ConcurrentQueue<ClientEvent> Events { get; } = [];

        public TaskCompletionSource Served { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Tell(ClientEvent what) => Events.Enqueue(what);

        public void Changed(IReadOnlyCollection<string> ids)
        {
        }

        public void Take(Kept kept)
        {
        }

        public void CaughtUp()
        {
            if (Interlocked.Increment(ref _times) <= timesMax)
                throw failure;
            Served.TrySetResult();
        }
    }
}
