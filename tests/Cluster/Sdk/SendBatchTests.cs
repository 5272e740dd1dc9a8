using ChordChat.Sdk.Storage;
using ChordChat.Tests.Cluster.Nodes;
using Grpc.Core;
using Microsoft.Data.Sqlite;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>README.md, <c>send -</c>: each line of a batch has its own answer.</summary>
public sealed class SendBatchTests : Scripts
{
    /// <summary>README.md: each line of a batch has its own answer.</summary>
    [Fact]
    public async Task A_refused_message_ends_neither_the_batch_nor_the_answers_to_other_lines()
    {
        await OkAsync("carol", "register", "carol");
        Cluster.RefuseMailTo = to => to == "bob" ? "the mailbox is full" : null;
        var run = await RunAsync("alice", ["send", "-"], "bob 1\ncarol 2\nbob 3\ncarol 4\n");
        Assert.Equal(1, run.Code);
        Assert.Equal(["refused", "kept", "refused", "kept"], run.States);
        Assert.Equal(["refused", "refused"], run.ErrorCodes);
        Assert.Contains("the mailbox is full", run.Error, StringComparison.Ordinal);
        Assert.Equal(2, Cluster.Accounts["carol"].MailboxCount);
    }

    /// <inheritdoc cref="A_refused_message_ends_neither_the_batch_nor_the_answers_to_other_lines"/>
    [Fact]
    public async Task A_line_that_cannot_be_sent_is_told_and_the_lines_behind_it_are_sent()
    {
        var lines = $"Bob 1\nnobody 2\nalice 3\nnobody 4\nbob {new string('x', 1 << 20)}\nbob 6\nno-text\nbob 8\n";
        var run = await RunAsync("alice", ["send", "-"], lines);
        Assert.Equal(1, run.Code);
        Assert.Equal(
            ["bad_name", "unknown_user", "to_yourself", "unknown_user", "too_large", "usage"], run.ErrorCodes);
        Assert.Equal(["kept", "kept"], run.States);
        Assert.Equal(2, Cluster.Accounts["bob"].MailboxCount);
        Assert.Empty(await OkAsync("alice", "history", "nobody"));
    }

    /// <summary>docs/e2e.md, Damage: a damaged pin stops its own chat only. Pins: one node shows wrong keys of one
    /// person while the others do not answer.</summary>
    [Fact]
    public async Task Somebody_whose_keys_cannot_be_used_ends_no_batch()
    {
        await OkAsync("carol", "register", "carol");
        await OkAsync("dave", "register", "dave");
        await OkAsync("alice", "send", "carol", "before");
        var file = Path.Combine(Home, "alice", "profile.db");
        using (var disk = new SqliteConnection($"Data Source={file};Pooling=False"))
        {
            disk.Open();
            disk.Execute("UPDATE pins SET value = zeroblob(length(value)) WHERE user = 'carol'");
        }

        Cluster.ShowKeys = (node, user) => user != "dave" ? null
            : node == Node ? Cluster.Accounts["bob"].Log : throw Fault(StatusCode.Unavailable);
        var run = await RunAsync("alice", ["send", "-"], "carol 1\ndave 2\nbob 3\ncarol 4\n");
        Assert.Equal(1, run.Code);
        Assert.Equal(["profile_damaged", "bad_keys", "profile_damaged"], run.ErrorCodes);
        Assert.Contains("the message to carol was not sent", run.Error, StringComparison.Ordinal);
        Assert.Contains("the message to dave was not sent", run.Error, StringComparison.Ordinal);
        Assert.Equal(["kept"], run.States);
        Assert.Empty(await OkAsync("alice", "history", "dave"));
    }

    /// <summary>docs/e2e.md, First contact. A pass has so many questions a minute at a node.</summary>
    [Fact]
    public async Task A_message_whose_recipient_was_one_question_too_many_is_stored_and_goes_out_by_itself()
    {
        await OkAsync("carol", "register", "carol");
        var asked = 0;
        Cluster.ShowKeys = (_, user) => user == "carol" && Interlocked.Increment(ref asked) <= 2 // Once at each node.
            ? throw Fault(StatusCode.ResourceExhausted) : null;
        var run = await RunAsync("alice", ["send", "-"], "carol 1\nbob 2\n");
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(["kept", "kept"], run.States);
        Assert.InRange(asked, 3, int.MaxValue);
    }

    /// <summary>The first answer may come before the first session: one node hides the keys of one person.</summary>
    [Fact]
    public async Task Somebody_whose_keys_are_hidden_ends_no_batch_that_has_only_begun()
    {
        await OkAsync("carol", "register", "carol");
        await OkAsync("alice", "send", "carol", "before");
        var hides = true;
        Cluster.ShowKeys = (_, user) => user == "carol" && Volatile.Read(ref hides)
            ? throw Fault(StatusCode.NotFound) : null;
        var before = Cluster.KeyLogCalls["carol"];
        Cluster.Challenge = (_, _) => SpinWait.SpinUntil(
            () => Cluster.KeyLogCalls["carol"] >= before + 2, TimeSpan.FromSeconds(10)); // Each node has said so.
        var sending = RunAsync("alice", ["send", "-", "--timeout", "60"], "carol 1\nbob 2\n");
        await Condition.UntilAsync(
            "bob has his", TimeSpan.FromSeconds(60), () => Task.FromResult(Cluster.Accounts["bob"].MailboxCount == 1));
        Volatile.Write(ref hides, false);
        var run = await sending;
        Assert.True(run.Code == 0, run.Error);
        Assert.Equal(["kept", "kept"], run.States);
    }

    /// <summary>Whoever repeats the batch must know what is stored already.</summary>
    [Fact]
    public async Task What_a_batch_has_stored_is_told_also_when_its_session_ends_for_good()
    {
        Cluster.HasQuorum = false;
        var sending = RunAsync("alice", ["send", "-", "--timeout", "300"], "bob 1\nbob 2\nbob 3\n");
        await Condition.UntilAsync(
            "all are at a node", TimeSpan.FromSeconds(60), () => Task.FromResult(Cluster.AgesMs.Count == 3));
        await OkAsync("elsewhere", "login", "alice");
        var run = await sending;
        Assert.Equal((1, "taken_over"), (run.Code, run.ErrorCode));
        Assert.Equal(["unsent", "unsent", "unsent"], run.States);
    }

    /// <summary>README.md: a batch ends early if the session ends for good, also while its input waits.</summary>
    [Fact]
    public async Task A_takeover_ends_a_batch_whose_input_is_still_open()
    {
        var ended = new TaskCompletionSource();
        var sending = RunAsync("alice", ["send", "-", "--timeout", "300"], "bob 1\n", closeInput: ended.Task);
        await Condition.UntilAsync(
            "bob has his", TimeSpan.FromSeconds(60), () => Task.FromResult(Cluster.Accounts["bob"].MailboxCount == 1));
        await OkAsync("elsewhere", "login", "alice");
        try
        {
            var run = await sending.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal((1, "taken_over"), (run.Code, run.ErrorCode));
            Assert.Equal(["kept"], run.States);
        }
        finally
        {
            ended.TrySetResult();
        }
    }

    private static RpcException Fault(StatusCode code) => new(new Status(code, "so it says"));
}
