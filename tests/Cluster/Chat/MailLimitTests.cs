using ChordChat.Core.Tiles;
using ChordChat.Node.Chat;
using ChordChat.Node.Tiles;
using ChordChat.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/operations.md, "Limits": what one session may make its node remember.</summary>
public sealed class MailLimitTests
{
    private static readonly SetKey Mailbox = SetKey.Mailbox("bert");

    [Fact]
    public void A_client_that_acknowledges_nothing_is_pushed_no_more_until_it_does()
    {
        var sets = new MemoryReplication([]);
        var mail = new SessionMail(
            Mailbox, new Outgoing(int.MaxValue), sets, int.MaxValue, TimeProvider.System, CancellationToken.None);
        for (var id = 1u; id <= SessionMail.PushedMax; id++)
            Assert.Equal(DeliverOutcome.Delivered, mail.Deliver(Message(id), "anna"));
        Assert.Equal(DeliverOutcome.TooSlow, mail.Deliver(Message(SessionMail.PushedMax + 1), "anna"));
        Assert.Equal(0, sets.ScanCount);
        mail.Settled([new(1)]);
        Assert.Equal(1, sets.ScanCount); // It stays in the mailbox, which is read again now.
    }

    /// <summary>Acknowledged ids that never were left a mark each, for weeks, at every copy.</summary>
    [Fact]
    public void Only_what_was_pushed_in_this_session_can_be_acknowledged_and_only_once()
    {
        var mail = new SessionMail(
            Mailbox, new Outgoing(int.MaxValue), new MemoryReplication([]), int.MaxValue, TimeProvider.System,
            CancellationToken.None);
        mail.Deliver(Message(1), "anna");
        var claimed = Enumerable.Range(1, 1_000).Select(id => new MessageId((uint)id)).ToArray();
        Assert.Equal([new MessageId(1)], mail.Settled(claimed));
        Assert.Empty(mail.Settled(claimed));
    }

    /// <summary>The mailbox never had it: nothing is to be deleted there.</summary>
    [Fact]
    public void A_signal_that_is_not_stored_cannot_be_acknowledged()
    {
        var outgoing = new Outgoing(int.MaxValue);
        var mail = new SessionMail(
            Mailbox, outgoing, new MemoryReplication([]), int.MaxValue, TimeProvider.System, CancellationToken.None);
        Assert.Equal(DeliverOutcome.Delivered, mail.Deliver(Signal(1), "anna"));
        Assert.Equal(new MessageId(1), Assert.Single(outgoing.Take()!.Mail!).Id);
        Assert.Empty(mail.Settled([new(1)]));
    }

    /// <summary>docs/protocol.md#signals: else who acknowledges the signal buries the message.</summary>
    [Fact]
    public void A_signal_with_the_id_of_a_message_that_is_not_acknowledged_yet_is_not_passed_on()
    {
        var outgoing = new Outgoing(int.MaxValue);
        var mail = new SessionMail(
            Mailbox, outgoing, new MemoryReplication([]), int.MaxValue, TimeProvider.System, CancellationToken.None);
        mail.Deliver(Message(1), "anna");
        Assert.Equal(DeliverOutcome.TooSlow, mail.Deliver(Signal(1), "eve"));
        Assert.Equal(DeliverOutcome.Delivered, mail.Deliver(Signal(2), "eve"));
        Assert.Equal([1u, 2u], outgoing.Take()!.Mail!.Select(pushed => (uint)pushed.Id.Value));
        Assert.Equal([new MessageId(1)], mail.Settled([new(1), new(2)]));
        Assert.Equal(DeliverOutcome.Delivered, mail.Deliver(Signal(1), "eve")); // Nothing is left to bury.
        Assert.Empty(mail.Settled([new(1)]));
    }

    /// <summary>docs/protocol.md#signals: what the mailbox has and this session was not pushed stays there.</summary>
    [Fact]
    public async Task To_acknowledge_a_signal_buries_no_message_of_its_id_that_waits_in_the_mailbox()
    {
        var sets = new MemoryReplication([new(default, default, "n1", "127.0.0.1:1")]);
        await sets.AddAsync(Mailbox, new("anna", 0), new(1), new byte[100], null, default);
        var mail = new SessionMail(
            Mailbox, new Outgoing(int.MaxValue), sets, int.MaxValue, TimeProvider.System, CancellationToken.None);
        Assert.Equal(DeliverOutcome.Delivered, mail.Deliver(Signal(1), "eve"));
        Assert.Empty(mail.Settled([new(1)]));
    }

    /// <summary>docs/protocol.md#signals: no mailbox counts them.</summary>
    [Fact]
    public void Signals_of_one_sender_and_of_all_together_are_bounded_and_hold_up_no_mail()
    {
        var outgoing = new Outgoing(int.MaxValue);
        var mail = new SessionMail(
            Mailbox, outgoing, new MemoryReplication([]), int.MaxValue, TimeProvider.System, CancellationToken.None);
        Assert.Equal(DeliverOutcome.TooSlow, mail.Deliver(Signal(1, SignalBudget.BytesMax + 1), "anna"));
        Assert.Equal(SignalBudget.PerSenderMax, DeliveredOf("anna"));
        Assert.Equal(SignalBudget.PerSenderMax, DeliveredOf("carl"));
        Assert.Equal(
            SignalBudget.Max - (2 * SignalBudget.PerSenderMax),
            Enumerable.Range(0, 1_000).Sum(i => DeliveredOf($"user{i}", 1)));
        Assert.Equal(DeliverOutcome.Delivered, mail.Deliver(Message(1_000_000), "anna"));

        int DeliveredOf(string from, int count = 20_000) => Enumerable.Range(1, count)
            .Count(id => mail.Deliver(Signal((uint)id), from) == DeliverOutcome.Delivered);
    }

    /// <summary>docs/protocol.md#signals.</summary>
    [Fact]
    public async Task A_signal_is_short()
    {
        var cluster = new ChatCluster(1);
        await cluster.InitializeAsync();
        var (anna, bert) = (
            await SessionTests.RegisterAsync(cluster, "anna"), await SessionTests.RegisterAsync(cluster, "bert"));
        await using var annas = await ChatConnection.OpenAsync(cluster.Client(0), anna);
        await using var berts = await ChatConnection.OpenAsync(cluster.Client(0), bert);
        await berts.NextAsync<string>(text => text == "caught up");
        await annas.SendAsync(anna.Seal("bert", new('x', 5_000), doNotStore: true));
        Assert.Equal("too_large", (await annas.NextAsync<SendOutcome>()).Code);
        var sent = anna.Seal("bert", "x", doNotStore: true);
        await annas.SendAsync(sent);
        Assert.Equal(sent.Id, (await berts.NextAsync<Push>()).Id);
        Assert.Empty(cluster.Replication.Kept("bert"));
        await cluster.DisposeAsync();
    }

    /// <summary>Nothing is lost: what waits is answered when its turn comes.</summary>
    [Fact]
    public async Task Who_hands_in_more_than_a_minutes_worth_waits_and_delays_nobody_else()
    {
        var cluster = new ChatCluster(1, options: ChatCluster.Quick with { SendsPerMinuteMax = 2 });
        await cluster.InitializeAsync();
        var (anna, bert) = (
            await SessionTests.RegisterAsync(cluster, "anna"), await SessionTests.RegisterAsync(cluster, "bert"));
        await using var annas = await ChatConnection.OpenAsync(cluster.Client(0), anna);
        await using var berts = await ChatConnection.OpenAsync(cluster.Client(0), bert);
        var sends = Enumerable.Range(0, 3).Select(i => anna.Seal("bert", $"{i}")).ToArray();
        await annas.SendAsync(sends);
        for (var i = 0; i < 2; i++)
            Assert.Equal(sends[i].Id, (await berts.NextAsync<Push>()).Id);

        await berts.SendAsync(bert.Seal("anna", "hello"));
        await annas.NextAsync<Push>();
        await berts.WriteAsync(new ClientFrame { Heartbeat = true });
        await berts.NextAsync<string>(text => text == "heartbeat");
        Assert.Equal(2, cluster.Replication.Kept("bert").Count);
        await cluster.DisposeAsync();
    }

    [Fact]
    public void A_minutes_worth_may_come_at_once_and_then_one_after_the_other()
    {
        var pace = new SendPace(new() { SendsPerMinuteMax = 60 }, new ChatClock(TimeProvider.System));
        Assert.All(Enumerable.Range(0, 60), _ => Assert.Equal(TimeSpan.Zero, pace.Take("anna", 1_000)));
        Assert.Equal(TimeSpan.FromSeconds(1), pace.Take("anna", 1_000));
        Assert.Equal(TimeSpan.Zero, pace.Take("bert", 1_000));
        Assert.Equal(TimeSpan.Zero, pace.Take("anna", 3_000));
        Assert.Equal(TimeSpan.FromSeconds(1), pace.Take("anna", 3_000));
    }

    [Fact]
    public void Mail_that_comes_while_the_mailbox_is_read_is_held_up_to_a_bound()
    {
        var sets = new MemoryReplication([]);
        var gate = new TaskCompletionSource();
        sets.ScanGate = gate.Task;
        var mail = new SessionMail(
            Mailbox, new Outgoing(int.MaxValue), sets, 1_000, TimeProvider.System, CancellationToken.None);
        mail.Scan();
        var outcomes = Enumerable.Range(1, 20).Select(id => mail.Deliver(Message((uint)id), "anna")).ToArray();
        Assert.Equal(DeliverOutcome.TooSlow, outcomes[^1]);
        Assert.InRange(mail.HeldBytes, 500, 1_100);
        gate.SetResult();
    }

    /// <summary>docs/protocol.md#no-empty-mail: whatever it costs, it is counted.</summary>
    [Fact]
    public void Held_mail_of_no_bytes_is_bounded_too()
    {
        var sets = new MemoryReplication([]);
        var gate = new TaskCompletionSource();
        sets.ScanGate = gate.Task;
        var mail = new SessionMail(
            Mailbox, new Outgoing(int.MaxValue), sets, 1_000, TimeProvider.System, CancellationToken.None);
        mail.Scan();
        var outcomes = Enumerable.Range(1, 20)
            .Select(id => mail.Deliver(new(new((uint)id), default), "anna")).ToArray();
        Assert.InRange(outcomes.Count(outcome => outcome == DeliverOutcome.Delivered), 1, 10);
        gate.SetResult();
    }

    [Fact]
    public void Of_what_a_session_sent_the_newest_are_watched_and_fewer_held_in_memory()
    {
        var recent = new RecentSends();
        using var session = Session();
        for (var id = 1u; id <= 100; id++)
            recent.Add(Sent(session, id));
        Assert.Equal(RecentSends.CountMax, recent.All.Count);
        Assert.Equal(new MessageId(37), recent.All[0].Submission.Id);
        Assert.Equal(26, recent.All.Count(send => !send.Submission.Envelope.IsEmpty));
    }

    [Fact]
    public void What_no_majority_keeps_waits_in_memory_up_to_a_bound_and_is_left_to_its_sender_then()
    {
        using var session = Session();
        using var retries = Retries(bytesMax: 200_000);
        Assert.True(retries.TryAdd(Sent(session, 1)));
        Assert.True(retries.TryAdd(Sent(session, 2)));
        Assert.False(retries.TryAdd(Sent(session, 3))); // Nobody fills more than an eighth.
        Assert.True(retries.TryAdd(Sent(session, 2))); // Handed in again, it takes no room of its own.
        for (var other = 1; other <= 9; other++)
            using (var more = Session($"anna{other}"))
                for (var id = 1u; id <= 2; id++)
                    Assert.True(retries.TryAdd(Sent(more, id)));
        using var late = Session("late");
        Assert.False(retries.TryAdd(Sent(late, 1)));
    }

    /// <summary>Else one sender could use up the room of all, or get around the limit.</summary>
    [Fact]
    public void Other_bytes_under_an_id_that_waits_are_counted_in_place_of_the_first()
    {
        using var session = Session();
        using var retries = Retries(bytesMax: 200_000);
        for (var i = 0; i < 100; i++)
        {
            Assert.True(retries.TryAdd(Sent(session, 1, bytes: 20_000)));
            Assert.True(retries.TryAdd(Sent(session, 1, bytes: 1_000)));
        }

        Assert.True(retries.TryAdd(Sent(session, 2, bytes: 20_000)));
        Assert.False(retries.TryAdd(Sent(session, 1, bytes: 20_000)));
    }

    private static SendRetries Retries(int bytesMax) => new(
        new() { QueuedBytesMax = bytesMax }, new MemoryReplication([]), null!, null!,
        new ChatClock(TimeProvider.System), NullLogger<SendRetries>.Instance);

    private static LiveSession Session(string user = "anna") => new(
        user, new(1, default, 0, default, 0, true), false, new MemoryReplication([]), new ChatOptions(), 0,
        CancellationToken.None)
    {
        Hello = new(new(user, 0, default, default, ""), default),
        Entry = default,
    };

    private static Submission Sent(LiveSession session, uint id, int bytes = 10_000) =>
        new(session, "bert", new(id), new byte[bytes], 3) { SentMs = 0 };

    private static StoredMessage Signal(uint id, int bytes = 100)
    {
        var signal = new byte[bytes];
        ((byte[])[.. "CCDM"u8, 1, .. new byte[16 + 32 + 16], 1]).CopyTo(signal, 0);
        return new(new(id), signal);
    }

    private static StoredMessage Message(uint id) => new(new(id), new byte[100]);
}
