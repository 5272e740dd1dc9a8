using System.Net;
using System.Net.Sockets;
using ChordChat.Sdk;
using ChordChat.Sdk.Nodes;
using ChordChat.Tests.Cluster.Nodes;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.Sdk;

/// <summary>The client program as scripts use it: exit codes, fixed shapes, one clear line for each mistake.</summary>
public sealed class ScriptingTests : Scripts
{
    [Fact]
    public async Task Two_people_script_a_conversation()
    {
        var sent = Assert.Single(await OkAsync("alice", "send", "bob", "hello", "bob"));
        Assert.Equal(
            ["id", "to", "state", "copies", "of", "reachable"], sent.EnumerateObject().Select(member => member.Name));
        Assert.Equal("kept", sent.GetProperty("state").GetString());
        Assert.Equal(3, sent.GetProperty("copies").GetArrayLength());
        var more = await RunAsync("alice", ["send", "bob", "-"], "second\nthird\n");
        Assert.Equal(2, more.Output.Count);

        var read = await OkAsync("bob", "tail", "--count", "3", "--timeout", "20");
        Assert.Equal(["hello bob", "second", "third"], read.Select(message => message.GetProperty("text").GetString()));
        Assert.Equal(
            ["id", "from", "to", "text", "sent", "state"], read[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal(sent.GetProperty("id").GetString(), read[0].GetProperty("id").GetString());

        await OkAsync("bob", "send", "alice", "--", "--json is an option");
        await OkAsync("alice", "tail", "--count", "1", "--timeout", "20");
        var history = await OkAsync("alice", "history", "bob");
        Assert.Equal(
            ["hello bob", "second", "third", "--json is an option"],
            history.Select(message => message.GetProperty("text").GetString()));
        Assert.Equal("delivered", history[0].GetProperty("state").GetString());
    }

    /// <summary>Bob's program is there, however slow the machine, until so many messages of requests have come.
    /// </summary>
    private Task HearRequestsAsync(int count) =>
        Condition.UntilAsync($"{count} messages of requests came", TimeSpan.FromSeconds(60), async () =>
        {
            await OkAsync("bob", "tail", "--timeout", "2");
            return (await OkAsync("bob", "requests")).Sum(request => request.GetProperty("count").GetInt32()) >= count;
        });

    /// <summary>docs/e2e.md, Shown once: such a tail was not killed.</summary>
    [Fact]
    public async Task A_tail_after_one_that_a_takeover_ended_prints_nothing_that_a_person_has_read_in_between()
    {
        var tail = RunAsync("alice", ["tail", "--timeout", "100"]);
        await OkAsync("bob", "send", "alice", "1", "--wait", "delivered", "--timeout", "60"); // So it runs.
        await OkAsync("elsewhere", "login", "alice");
        Assert.Equal("taken_over", (await tail).ErrorCode);
        await OkAsync("alice", "login", "alice");
        await OkAsync("bob", "send", "alice", "2");
        await using (var person = await Person.Open(Path.Combine(Home, "alice"), Node).OnlineAsync())
            person.Client.MarkRead([(await person.SeeAsync<ClientEvent.Arrived>()).Message.Id]);
        Assert.Empty(await OkAsync("alice", "tail", "--timeout", "2"));
    }

    /// <summary>docs/e2e.md, Receiving: Requests.</summary>
    [Fact]
    public async Task A_script_sees_who_was_never_written_to_and_accepts_them()
    {
        Assert.True(Assert.Single(await OkAsync("bob", "requests", "on")).GetProperty("wait").GetBoolean());
        await OkAsync("alice", "send", "bob", "hello\nbob");
        await HearRequestsAsync(1);
        var none = await RunAsync("bob", ["tail", "--count", "1", "--timeout", "1"]);
        Assert.Equal((0, "not_in_time"), (none.Output.Count, none.ErrorCode));
        Assert.Contains("--requests", none.Error, StringComparison.Ordinal);
        var request = Assert.Single(await OkAsync("bob", "requests"));
        Assert.Equal(
            ("alice", 1, "hello\nbob"),
            (request.GetProperty("user").GetString(), request.GetProperty("count").GetInt32(),
                request.GetProperty("first").GetString()));
        await OkAsync("alice", "send", "bob", "once more");
        var all = await OkAsync("bob", "tail", "--count", "2", "--timeout", "20", "--requests");
        Assert.All(all, message => Assert.True(message.GetProperty("request").GetBoolean()));
        await OkAsync("alice", "send", "bob", "please");
        await HearRequestsAsync(1); // Those that were printed wait no longer.
        var shown = Assert.Single(await OkAsync("bob", "accept", "alice"));
        Assert.Equal("please", shown.GetProperty("text").GetString());
        Assert.Empty(await OkAsync("bob", "requests"));
        await OkAsync("alice", "send", "bob", "thanks", "--wait", "kept");
        Assert.Single(await OkAsync("bob", "tail", "--count", "1", "--timeout", "20"));
    }

    /// <summary>docs/e2e.md, Order: a restored backup becomes a new device by itself.</summary>
    [Fact]
    public async Task A_copied_profile_becomes_a_new_device_without_a_word_of_its_user()
    {
        await OkAsync("alice", "send", "bob", "1");
        Directory.CreateDirectory(Path.Combine(Home, "backup"));
        foreach (var file in Directory.GetFiles(Path.Combine(Home, "alice")))
            File.Copy(file, Path.Combine(Home, "backup", Path.GetFileName(file)));
        await OkAsync("alice", "send", "bob", "2");
        await OkAsync("backup", "send", "bob", "of the copy");
        Assert.Equal(3, (await OkAsync("bob", "tail", "--count", "3", "--timeout", "60")).Count);
        Assert.Equal(1u, Cluster.Accounts["alice"].Log!.Head.Epoch);
        await OkAsync("backup", "send", "bob", "hears of it", "--wait", "kept"); // The receipt is in its mailbox.
        await Condition.UntilAsync("the copy is a device of its own", TimeSpan.FromSeconds(150), async () =>
        {
            await OkAsync("backup", "tail", "--timeout", "15"); // It has to log in and to make keys within that.
            return Cluster.Accounts["alice"].Log!.Head.Epoch == 2;
        });
        var fresh = Assert.Single(await OkAsync("backup", "send", "bob", "of its own"));
        Assert.Equal("kept", fresh.GetProperty("state").GetString());
        var replaced = await RunAsync("alice", ["tail", "--timeout", "30"]);
        Assert.Equal("taken_over", replaced.ErrorCode);
        var profile = Path.Combine(Home, "alice");
        Assert.Contains($"chordchat login alice --profile {profile}", replaced.Error, StringComparison.Ordinal);
    }

    /// <summary>docs/e2e.md, Session: begun at the same instant, and not a word of their user.</summary>
    [Fact]
    public async Task A_profile_and_its_copy_that_both_follow_the_mail_become_one_new_device()
    {
        Directory.CreateDirectory(Path.Combine(Home, "backup"));
        foreach (var file in Directory.GetFiles(Path.Combine(Home, "alice")))
            File.Copy(file, Path.Combine(Home, "backup", Path.GetFileName(file)));
        Cluster.SessionCalls.Clear();
        Task<Run>[] tails =
        [
            RunAsync("alice", ["tail", "--count", "1", "--timeout", "60"]),
            RunAsync("backup", ["tail", "--count", "1", "--timeout", "60"]),
        ];
        var first = await await Task.WhenAny(tails);
        Assert.Equal((1, "taken_over"), (first.Code, first.ErrorCode));
        await OkAsync("bob", "send", "alice", "hello");
        Assert.Equal([0, 1], (await Task.WhenAll(tails)).Select(run => run.Code).Order());
        Assert.Equal(2u, Cluster.Accounts["alice"].Log!.Head.Epoch);
        Assert.InRange(Cluster.SessionCalls.Count(user => user == "alice"), 4, 12);
    }

    [Fact]
    public async Task Whom_nobody_knows_is_neither_blocked_nor_accepted()
    {
        await FailsAsync("unknown_user", "alice", ["block", "nobody"]);
        await FailsAsync("unknown_user", "alice", ["accept", "nobody"]);
        Assert.Empty(await OkAsync("alice", "blocked"));
        await OkAsync("alice", "block", "bob");
        Assert.Equal("bob", Assert.Single(await OkAsync("alice", "blocked")).GetProperty("user").GetString());
        var undone = await RunAsync("alice", ["unblock", "bob"], json: false);
        Assert.Equal("bob is no longer blocked\n", undone.Text);
        var again = await RunAsync("alice", ["unblock", "bob"], json: false);
        Assert.Equal("bob is not blocked\n", again.Text);
        Assert.Empty(await OkAsync("alice", "blocked"));
        var nobody = await RunAsync("alice", ["blocked"], json: false);
        Assert.Contains("nobody is blocked", nobody.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sending_with_wait_delivered_waits_for_the_recipient_and_tells_the_truth_without()
    {
        var alone = await RunAsync("alice", ["send", "bob", "are you there", "--wait", "delivered", "--timeout", "8"]);
        Assert.Equal((1, "kept"), (alone.Code, alone.Output.Single().GetProperty("state").GetString()));
        Assert.Equal("not_in_time", alone.ErrorCode);
        Assert.Contains("is kept on 3 of 3 disks, but was not delivered", alone.Error, StringComparison.Ordinal);
        var tail = RunAsync("bob", ["tail", "--count", "2", "--timeout", "60"]);
        var heard = await OkAsync("alice", "send", "bob", "now", "--wait", "delivered", "--timeout", "60");
        Assert.Equal("delivered", heard.Single().GetProperty("state").GetString());
        Assert.Equal(0, (await tail).Code);
    }

    [Fact]
    public async Task Status_and_where_need_an_account_and_a_password_only_when_the_pass_is_old()
    {
        await FailsAsync("not_logged_in", "nobody", ["status", "bob"]);
        Assert.Single(await OkAsync("alice", "status", "bob"));
        Assert.Equal("alice", Assert.Single(Cluster.PassCalls));
        var known = await RunAsync("alice", ["status", "bob"], password: "not asked for");
        var status = Assert.Single(known.Output);
        Assert.Equal("""{"user":"bob","online":false,"since":null}""", status.GetRawText());
        var where = Assert.Single(await OkAsync("alice", "where", "bob"));
        Assert.Single(Cluster.PassCalls);
        Cluster.Pass = ByteString.CopyFromUtf8("another day");
        await FailsAsync("wrong_password", "alice", ["status", "bob"], password: "not the right one");
        Assert.Single(await OkAsync("alice", "status", "bob"));
        Assert.Equal(2, Cluster.PassCalls.Count);
        Assert.Equal(
            ["user", "tile", "epoch", "members", "answering"], where.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task Each_mistake_gets_one_line_that_says_what_to_do_and_leaves_nothing_behind()
    {
        await FailsAsync("wrong_password", "alice", ["send", "bob", "x"], password: "not the right one");
        await FailsAsync("wrong_password", "carol", ["login", "alice"], password: "not the right one");
        await FailsAsync("unknown_user", "alice", ["send", "nobody", "x"]);
        await FailsAsync("wrong_password", "carol", ["login", "carol"]);
        await FailsAsync("taken_name", "carol", ["register", "bob"]);
        await FailsAsync("weak_password", "carol", ["register", "carol"], password: "short");
        await FailsAsync("bad_name", "carol", ["register", "Carol"]);
        await FailsAsync("bad_name", "alice", ["send", "bob smith", "x"]);
        await FailsAsync("too_large", "alice", ["send", "bob", "-"], input: new string('x', 1 << 20));
        await FailsAsync("to_yourself", "alice", ["send", "alice", "x"]);
        await FailsAsync("not_logged_in", "carol", ["send", "bob", "x"]);
        await FailsAsync("unreachable", "carol", ["register", "carol"], node: "127.0.0.1:1");
        Assert.False(Directory.Exists(Path.Combine(Home, "carol")), "a registration that failed left a profile");
        Assert.Empty(await OkAsync("alice", "history", "nobody"));
        Assert.Empty(await OkAsync("alice", "history", "bob"));
    }

    [Fact]
    public async Task Addresses_that_are_no_node_of_this_cluster_are_told_apart()
    {
        using var foreign = new FakeCluster();
        await using var other = await foreign.AddNodeAsync("n1");
        await FailsAsync("foreign_cluster", "alice", ["send", "bob", "x"], node: other.Address);
        await FailsAsync("bad_address", "alice", ["send", "bob", "x"], node: "nonsense");
        await FailsAsync("unreachable", "alice", ["send", "bob", "x"], node: "127.0.0.1:1");
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var talking = AnswerPlainlyAsync(silent);
        await FailsAsync("not_a_node", "alice", ["send", "bob", "x"], node: silent.LocalEndpoint.ToString()!);
        silent.Stop();
        await Assert.ThrowsAnyAsync<SocketException>(() => talking);
    }

    /// <summary>docs/e2e.md, First contact: a script must say whom it trusts.</summary>
    [Fact]
    public async Task A_script_registers_nowhere_that_nobody_vouched_for()
    {
        using var foreign = new FakeCluster();
        await using var other = await foreign.AddNodeAsync("n1");
        // The environment names the cluster of the other tests.
        await FailsAsync("foreign_cluster", "carol", ["register", "carol"], node: other.Address);
        await FailsAsync("bad_fingerprint", "carol", ["register", "carol", "--trust", "12 34"], node: other.Address);
        Assert.Empty(foreign.SecretCalls);
        var fingerprint = ClusterTrust.FingerprintOf(foreign.Authority.RawData);
        var named = await RunAsync("carol", ["register", "carol", "--trust", fingerprint], node: other.Address);
        Assert.Equal(0, named.Code);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_dies_in_mid_handshake_is_no_stranger(bool resets)
    {
        using var dying = new TcpListener(IPAddress.Loopback, 0);
        dying.Start();
        var hangingUp = HangUpAsync(dying, resets);
        await FailsAsync("unreachable", "alice", ["send", "bob", "x"], node: dying.LocalEndpoint.ToString()!);
        dying.Stop();
        await Assert.ThrowsAnyAsync<SocketException>(() => hangingUp);
    }

    private static async Task HangUpAsync(TcpListener listener, bool resets)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync();
            // The client may have hung up first: it tries several ways at once.
            await client.GetStream().ReadAtLeastAsync(new byte[1024], 1, throwOnEndOfStream: false);
            client.LingerState = new(resets, 0);
        }
    }

    private static async Task AnswerPlainlyAsync(TcpListener listener)
    {
        while (true)
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"u8.ToArray());
        }
    }
}
