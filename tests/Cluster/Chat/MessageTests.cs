using ChordChat.Node.Chat;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

public sealed class MessageTests : IAsyncLifetime
{
    private const SendOutcome.Types.State Kept = SendOutcome.Types.State.Kept;
    private const SendOutcome.Types.State Queued = SendOutcome.Types.State.Queued;
    private const SendOutcome.Types.State Refused = SendOutcome.Types.State.Refused;

    private readonly ChatCluster _cluster = new(2);

    private ChatUser _anna = null!;
    private ChatUser _bert = null!;

    public async Task InitializeAsync()
    {
        await _cluster.InitializeAsync();
        _anna = await SessionTests.RegisterAsync(_cluster, "anna");
        _bert = await SessionTests.RegisterAsync(_cluster, "bert");
    }

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_message_to_somebody_online_is_delivered_and_kept_three_times(int node)
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await using var bert = await OnlineAsync(_bert, node);
        var send = _anna.Seal("bert", "hello");

        await anna.SendAsync(send);

        var push = await bert.NextAsync<Push>();
        Assert.Equal((send.Id, send.Envelope), (push.Id, push.Envelope));
        var last = await anna.NextAsync<SendOutcome>(o => o is { State: Kept, Copies.Count: 3, Of: 3 });
        Assert.Equal(send.Id, last.Id);
    }

    /// <summary>docs/protocol.md, "Without a quorum".</summary>
    [Fact]
    public async Task A_recipient_whose_account_does_not_answer_delays_no_message_to_anybody_else()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        _cluster.Replication.Silent = ChordChat.Node.Tiles.RegisterKey.Account("carl");
        var toCarl = Enumerable.Range(0, 3).Select(i => _anna.Seal("carl", $"{i}")).ToArray();
        await anna.SendAsync(toCarl);
        await anna.SendAsync(_anna.Seal("bert", "hello"));
        var first = await anna.NextAsync<SendOutcome>();
        Assert.Equal(Kept, first.State);
        _cluster.Replication.Silence.SetResult();
        foreach (var send in toCarl)
            Assert.Equal((send.Id, Refused), await NextAsync(anna));

        async Task<(ByteString, SendOutcome.Types.State)> NextAsync(ChatConnection of)
        {
            var outcome = await of.NextAsync<SendOutcome>(o => o.State != Kept);
            return (outcome.Id, outcome.State);
        }
    }

    [Fact]
    public async Task Messages_to_somebody_offline_come_in_order_and_once_when_they_connect()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        var sends = Enumerable.Range(0, 100).Select(i => _anna.Seal("bert", $"{i}")).ToArray();
        await anna.SendAsync(sends);
        await KeptAsync(anna, 100);

        await using var bert = await OnlineAsync(_bert, 1, waits: false);

        var pushes = await bert.PushesAsync(100);
        Assert.Equal(sends.Select(send => send.Id), pushes.Select(push => push.Id));
        await bert.NextAsync<string>(text => text == "caught up");
        Assert.DoesNotContain(bert.Rest(), item => item is Push);
    }

    [Fact]
    public async Task What_was_acknowledged_is_gone_and_the_rest_comes_again()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await anna.SendAsync(_anna.Seal("bert", "one"), _anna.Seal("bert", "two"));
        await KeptAsync(anna, 2);
        await using (var bert = await OnlineAsync(_bert, 0, waits: false))
        {
            var pushes = await bert.PushesAsync(2);
            await bert.AcknowledgeAsync(pushes[0].Id);
            await UntilAsync(() => _cluster.Replication.Kept("bert").Count == 1);
        }

        await using var again = await OnlineAsync(_bert, 1, waits: false);
        var push = await again.NextAsync<Push>();
        Assert.Equal(_cluster.Replication.Kept("bert")[0].Id.ToBytes(), push.Id.ToByteArray());
        await again.NextAsync<string>(text => text == "caught up");
        Assert.DoesNotContain(again.Rest(), item => item is Push);
    }

    [Fact]
    public async Task Sending_twice_is_sending_once()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await using var bert = await OnlineAsync(_bert, 1);
        var send = _anna.Seal("bert", "hello");

        await anna.SendAsync(send, send);
        await anna.SendAsync(send);
        await anna.SendAsync(_anna.Seal("bert", "the last"));
        await KeptAsync(anna, 2);

        var pushes = await bert.PushesAsync(2);
        Assert.Equal(2, pushes.Select(push => push.Id).Distinct().Count());
        Assert.Equal(2, _cluster.Replication.Kept("bert").Count);
    }

    [Fact]
    public async Task A_resync_brings_only_what_was_not_pushed_before()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await using var bert = await OnlineAsync(_bert, 0);
        await anna.SendAsync(_anna.Seal("bert", "hello"));
        await bert.NextAsync<Push>();
        await bert.WriteAsync(new ClientFrame { Resync = true, Reading = 7 });
        await bert.NextAsync<string>(text => text == "caught up, reading 7");
        Assert.DoesNotContain(bert.Rest(), item => item is Push);
    }

    /// <summary>docs/e2e.md, Receiving: the client could not judge it.</summary>
    [Fact]
    public async Task What_was_not_acknowledged_is_pushed_again_when_the_client_asks()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await using var bert = await OnlineAsync(_bert, 0);
        await anna.SendAsync(_anna.Seal("bert", "hello"));
        var push = await bert.NextAsync<Push>();
        await KeptAsync(anna, 1);
        await bert.WriteAsync(new ClientFrame { Repeat = true });
        Assert.Equal(push, await bert.NextAsync<Push>());
    }

    [Fact]
    public async Task Without_a_majority_a_message_is_queued_yet_delivered_live_and_kept_later()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await using var bert = await OnlineAsync(_bert, 1);
        _cluster.Replication.IsCut = true;
        var send = _anna.Seal("bert", "hello");

        await anna.SendAsync(send);

        Assert.Equal(send.Id, (await bert.NextAsync<Push>()).Id);
        var queued = await anna.NextAsync<SendOutcome>(outcome => outcome.State == Queued);
        Assert.Equal(["n1"], queued.Copies);
        _cluster.Replication.IsCut = false;
        await anna.NextAsync<SendOutcome>(outcome => outcome.State == Kept && outcome.Id == send.Id);
        Assert.Single(_cluster.Replication.Kept("bert"));
    }

    /// <summary>The node forgets an envelope when all copies are on disk; a nemesis run lost a message whose live
    /// delivery came after that and brought nothing under its id.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_on_all_disks_at_once_is_delivered_whole(bool isRetry)
    {
        await using var anna = await OnlineAsync(_anna, 0);
        var send = _anna.Seal("bert", "hello");
        _cluster.Replication.KeepsAllAtOnce = true;
        _cluster.Replication.IsCut = isRetry;
        if (isRetry)
        {
            await anna.SendAsync(send);
            await anna.NextAsync<SendOutcome>(outcome => outcome.State == Queued);
        }

        await using var bert = await OnlineAsync(_bert, 1, waits: !isRetry);
        _cluster.Replication.IsCut = false;
        if (!isRetry)
            await anna.SendAsync(send);
        Assert.Equal(send.Envelope, (await bert.NextAsync<Push>()).Envelope);
    }

    [Fact]
    public async Task A_full_mailbox_refuses_in_words()
    {
        _cluster.Replication.MessageCountMax = 1;
        await using var anna = await OnlineAsync(_anna, 0);
        await anna.SendAsync(_anna.Seal("bert", "one"));
        await KeptAsync(anna, 1);

        await anna.SendAsync(_anna.Seal("bert", "two"));

        var outcome = await anna.NextAsync<SendOutcome>(o => o.State == Refused);
        Assert.Equal("mailbox_full", outcome.Code);
        Assert.Contains("bert", outcome.Text, StringComparison.Ordinal);
    }

    /// <summary>docs/protocol.md#tombstones.</summary>
    [Fact]
    public async Task A_client_says_how_old_a_message_is_and_is_told_when_that_is_too_late()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        var send = _anna.Seal("bert", "one");
        send.AgeMs = (ulong)TimeSpan.FromDays(3).TotalMilliseconds;
        var before = DateTimeOffset.UtcNow.AddDays(-3).ToUnixTimeMilliseconds();
        await anna.SendAsync(send);
        await KeptAsync(anna, 1);
        Assert.InRange(
            _cluster.Replication.LastSentMs, before, DateTimeOffset.UtcNow.AddDays(-3).ToUnixTimeMilliseconds());

        _cluster.Replication.TakesNothingNew = true;
        await anna.SendAsync(_anna.Seal("bert", "two"));
        Assert.Equal("too_late", (await anna.NextAsync<SendOutcome>(outcome => outcome.State == Refused)).Code);
    }

    [Fact]
    public async Task What_cannot_be_right_is_refused_with_a_code()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        var good = _anna.Seal("bert", "hello");
        var big = new byte[72 * 1024 + 1];
        (Send Send, string Code)[] cases =
        [
            (_anna.Seal("nobody", "hello"), "unknown_user"),
            (new Send(good) { To = "No Body" }, "unknown_user"),
            (_anna.Seal("anna", "hello"), "bad_envelope"),
            (new Send(good) { To = "anna" }, "bad_envelope"),
            (new Send(good) { Id = ByteString.CopyFrom(new byte[16]) }, "bad_envelope"),
            (new Send(good) { Envelope = ByteString.CopyFrom(good.Envelope.Span[..^1]) }, "bad_envelope"),
            (new Send(good) { Envelope = ByteString.CopyFrom(big) }, "too_large"),
            (new Send(_bert.Seal("carl", "not mine")) { To = "bert" }, "bad_envelope"),
        ];

        foreach (var (send, code) in cases)
        {
            await anna.SendAsync(send);
            var outcome = await anna.NextAsync<SendOutcome>();
            Assert.Equal((send.Id, Refused, code), (outcome.Id, outcome.State, outcome.Code));
        }

        Assert.Empty(_cluster.Replication.Kept("bert"));
    }

    [Fact]
    public async Task Mail_that_comes_while_the_mailbox_is_read_follows_it_and_nothing_comes_twice()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        var early = _anna.Seal("bert", "early");
        await anna.SendAsync(early);
        await KeptAsync(anna, 1);
        var gate = new TaskCompletionSource();
        _cluster.Replication.ScanGate = gate.Task;
        await using var bert = await OnlineAsync(_bert, 1, waits: false);
        await UntilFoundAsync("bert");

        var late = _anna.Seal("bert", "late");
        await anna.SendAsync(late);
        await UntilAsync(() => _cluster.Get<SessionTable>(1).Find("bert")!.BufferedBytes > 0);
        gate.SetResult();

        var pushes = await bert.PushesAsync(2);
        Assert.Equal([early.Id, late.Id], pushes.Select(push => push.Id));
    }

    [Fact]
    public async Task Mail_that_no_live_delivery_brought_is_found_by_the_next_renewals()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await using var bert = await OnlineAsync(_bert, 1);
        _cluster.Link.Unreachable.Add(_cluster.Nodes[1]);

        await anna.SendAsync(_anna.Seal("bert", "hello"));

        Assert.NotNull(await bert.NextAsync<Push>());
    }

    [Fact]
    public async Task A_client_that_reads_nothing_costs_no_more_than_its_bound_and_misses_nothing()
    {
        await using var anna = await OnlineAsync(_anna, 0);
        await using var bert = await ChatConnection.OpenAsync(_cluster.Client(1), _bert, reads: false);
        await UntilFoundAsync("bert");
        var sends = Enumerable.Range(0, 150).Select(i => _anna.Seal("bert", new string('x', 30_000))).ToArray();
        foreach (var some in sends.Chunk(10))
        {
            await anna.SendAsync(some);
            await KeptAsync(anna, 10);
        }

        await SendAndHearAsync(anna, _anna.Seal("bert", "one more"));
        Assert.InRange(
            _cluster.Get<SessionTable>(1).Find("bert")!.BufferedBytes, 1, 2 * ChatCluster.Quick.OutgoingBytesMax);

        bert.Read();
        var pushes = await bert.PushesAsync(151);
        Assert.Equal(151, pushes.Select(push => push.Id).Distinct().Count());
    }

    private async Task<ChatConnection> OnlineAsync(ChatUser user, int node, bool waits = true)
    {
        var line = await ChatConnection.OpenAsync(_cluster.Client(node), user);
        if (waits)
            await line.NextAsync<string>(text => text == "caught up");
        return line;
    }

    /// <summary>Waits until so many messages more are kept.</summary>
    private static async Task KeptAsync(ChatConnection line, int count)
    {
        var ids = new HashSet<ByteString>();
        while (ids.Count < count)
            ids.Add((await line.NextAsync<SendOutcome>(outcome => outcome.State == Kept)).Id);
    }

    private static async Task<SendOutcome> SendAndHearAsync(ChatConnection line, Send send)
    {
        await line.SendAsync(send);
        return await line.NextAsync<SendOutcome>(outcome => outcome.Id == send.Id && outcome.Copies.Count == 3);
    }

    /// <summary>Until anna's node knows where the user is.</summary>
    private async Task UntilFoundAsync(string user)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await _cluster.Get<LeasePlaces>(0).FindAsync(user, deadline.Token) is null)
            await Task.Delay(10, deadline.Token);
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
            await Task.Delay(10, deadline.Token);
    }
}
