using System.Buffers.Binary;
using System.Text;
using ChordChat.Crypto;
using ChordChat.Node.Links;
using ChordChat.Node.Operations;
using ChordChat.Tests.Cluster.Chat;
using ChordChat.Wire;
using Google.Protobuf;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Limits": what one connection may have open at a node.</summary>
public sealed class NodePortTests
{
    private const int Dribbling = 60; // For 84 s.
    private const int RefusedStream = 7; // RFC 9113, section 7.

    [Fact]
    public async Task Of_streams_on_one_connection_only_so_many_are_served_and_the_next_is_refused()
    {
        await using var cluster = await NodeCluster.StartAsync(1, new()
        {
            ["Chat:UnprovenMax"] = "10000", // Another limit, which comes sooner for clients that say nothing.
            ["Chat:UnprovenPerAddressMax"] = "10000",
            ["Chat:HelloTimeout"] = "00:02:00",
        });
        var at = cluster.AddressOf("n1").Split(':');
        await using var client = await RawHttp2.ConnectAsync(at[0], int.Parse(at[1], null));
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        const int most = NodePort.StreamsPerConnectionMax;
        var sending = SendAsync(client, most);
        var (told, open) = (0u, new HashSet<int>());
        while (open.Count < most)
        {
            var (kind, stream, body) = await client.ReadAsync(deadline.Token);
            Assert.NotEqual(RawHttp2.Reset, kind);
            if (kind == RawHttp2.Headers)
                open.Add(stream);
            for (var i = 0; kind == RawHttp2.Settings && i < body.Length; i += 6)
                if (BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(i)) == 3) // Of streams at once.
                    told = BinaryPrimitives.ReadUInt32BigEndian(body.AsSpan(i + 2));
        }

        await sending;
        Assert.Equal((uint)most, told);
        await client.PostAsync((2 * most) + 1, Path);
        while (true)
        {
            var (kind, stream, body) = await client.ReadAsync(deadline.Token);
            if (stream != (2 * most) + 1)
                continue;
            Assert.Equal(RawHttp2.Reset, kind);
            Assert.Equal(RefusedStream, BinaryPrimitives.ReadInt32BigEndian(body));
            return;
        }
    }

    /// <summary>A session that is challenged and says nothing stays open for as long as a hello may take.</summary>
    private const string Path = "/chordchat.v1.Chat/Connect";

    private static async Task SendAsync(RawHttp2 client, int count)
    {
        for (var i = 0; i < count; i++)
            await client.PostAsync((2 * i) + 1, Path);
    }

    /// <summary>docs/security.md, "What a call may cost".</summary>
    [Fact]
    public async Task Who_resets_one_call_after_the_other_is_hung_up_on_and_has_to_wait_in_the_end()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        for (var i = 0; i < StreamResets.ConnectionsMax; i++)
            Assert.True(await IsHungUpOnAsync(cluster, "127.0.1.1"));
        await Assert.ThrowsAnyAsync<IOException>(() => ConnectAsync(cluster, "127.0.1.1"));
        await using var other = await ConnectAsync(cluster, "127.0.2.1");
        await other.PostAsync(1, Path);
        await AnsweredAsync(other, 1);
    }

    /// <summary>CVE-2025-8671: by a window that is too large the client makes Kestrel reset its calls.</summary>
    [Fact]
    public async Task Who_brings_the_node_to_reset_one_call_after_the_other_is_hung_up_on()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        Assert.True(await IsHungUpOnAsync(cluster, "127.0.1.1", makesNodeReset: true));
    }

    [Fact]
    public async Task Who_takes_back_a_call_now_and_then_is_served_on()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        await using var client = await ConnectAsync(cluster, "127.0.0.1");
        for (var i = 0; i < StreamResets.ResetsMax; i++)
        {
            await client.PostAsync((2 * i) + 1, Path);
            await client.ResetAsync((2 * i) + 1);
        }

        await client.PostAsync((2 * StreamResets.ResetsMax) + 1, Path);
        await AnsweredAsync(client, (2 * StreamResets.ResetsMax) + 1);
    }

    /// <summary>docs/security.md, "What a call may cost": with other streams beside them, Kestrel never ends such
    /// calls.</summary>
    [Fact]
    public async Task Of_calls_that_do_not_end_a_network_has_so_many_and_each_so_long()
    {
        const int most = WholeBodies.UnfinishedPerBlockMax;
        await using var cluster = await NodeCluster.StartAsync(1, new() { ["Chat:HelloTimeout"] = "00:02:00" });
        await using var client = await ConnectAsync(cluster, "127.0.0.1");
        for (var i = 0; i < Dribbling; i++)
            await client.PostAsync((2 * i) + 1, Path);
        using var over = new CancellationTokenSource();
        var dribbling = DribbleAsync(client, over.Token);
        for (var i = Dribbling; i <= Dribbling + most; i++)
            await client.PostAsync((2 * i) + 1, "/chordchat.v1.Chat/GetCluster");
        Assert.Contains(
            "too many unfinished calls", await AnsweredAsync(client, from: 2 * Dribbling), StringComparison.Ordinal);
        var others = "";
        for (var i = 0; i < most; i++)
            others += await AnsweredAsync(client, from: 2 * Dribbling); // What comes again is a number in a table.
        Assert.Contains("not arrive completely", others, StringComparison.Ordinal);
        await over.CancelAsync();
        await dribbling;
    }

    /// <summary>docs/security.md, "What a call may cost": HTTP/2 lets a client give no window for an answer, and
    /// Kestrel waits for minutes if it is long.</summary>
    [Fact]
    public async Task Who_does_not_take_the_answer_to_a_call_gets_none()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        using var channel = SlowReaderTests.Connect(cluster.AddressOf("n1"));
        var chat = new Wire.Chat.ChatClient(channel);
        var id = ClusterId.FromBytes((await chat.GetClusterAsync(new())).Cluster.Span);
        var alice = new ChatUser("alice", id) { KeyringBytes = 30 << 10 };
        await chat.RegisterAsync(alice.Registration());
        var call = new LogInRequest { User = "alice", Secret = alice.Secret }.ToByteArray();
        // The bytes that are taken buy time from Kestrel.
        await using var client = await ConnectAsync(cluster, "127.0.0.1", window: 16_000);
        for (var i = 0; i < 4; i++)
        {
            await client.PostAsync((2 * i) + 1, "/chordchat.v1.Chat/LogIn");
            await client.EndAsync((2 * i) + 1, [0, 0, 0, 0, (byte)call.Length, .. call]);
        }

        await ResetAsync(client, [1, 3, 5, 7]);
        Assert.NotEmpty((await chat.LogInAsync(new() { User = "alice", Secret = alice.Secret })).Keyring);
    }

    /// <summary>The same for the last frame of a session that is refused: it has entries of a key log.</summary>
    [Fact]
    public async Task Who_does_not_take_why_a_session_is_refused_is_not_waited_for()
    {
        await using var cluster = await NodeCluster.StartAsync(1);
        using var channel = SlowReaderTests.Connect(cluster.AddressOf("n1"));
        var chat = new Wire.Chat.ChatClient(channel);
        var alice = new ChatUser("alice", ClusterId.FromBytes((await chat.GetClusterAsync(new())).Cluster.Span));
        await chat.RegisterAsync(alice.Registration());
        var login = await chat.LogInAsync(new() { User = "alice", Secret = alice.Secret });
        await chat.PublishKeysAsync(alice.Publication(login.Ticket));
        await using var client = await ConnectAsync(cluster, "127.0.0.1", window: 1_000);
        for (var i = 0; i < 40; i++) // The bytes that are taken buy time from Kestrel: 2 s each.
        {
            await client.PostAsync((2 * i) + 1, "/chordchat.v1.Chat/GetCluster");
            await client.EndAsync((2 * i) + 1, new byte[5]);
            await AnsweredAsync(client, (2 * i) + 1);
        }

        const int stream = 101;
        await client.PostAsync(stream, "/chordchat.v1.Chat/Connect");
        using var deadline = new CancellationTokenSource(4 * UnreadAnswers.Patience);
        byte[] answered = [];
        while (answered.Length < 5 || answered.Length < 5 + answered[4])
            if (await client.ReadAsync(deadline.Token) is (RawHttp2.Data, stream, var part))
                answered = [.. answered, .. part];
        var challenge = NodeFrame.Parser.ParseFrom(answered.AsSpan(5)).Challenge;
        var hello = new ClientFrame { Hello = ChatConnection.HelloOf(alice, challenge, epoch: 1) }.ToByteArray();
        await client.DataAsync(stream, [0, 0, 0, (byte)(hello.Length >> 8), (byte)hello.Length, .. hello]);
        await ResetAsync(client, [stream]);
    }

    private static async Task ResetAsync(RawHttp2 client, HashSet<int> streams)
    {
        using var deadline = new CancellationTokenSource(4 * UnreadAnswers.Patience);
        while (streams.Count > 0)
            if (await client.ReadAsync(deadline.Token) is (RawHttp2.Reset, var stream, _))
                streams.Remove(stream);
    }

    /// <summary>First messages of sessions of which something comes every now and then, one after the other.</summary>
    private static async Task DribbleAsync(RawHttp2 client, CancellationToken over)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        try
        {
            for (var i = 0; i < Dribbling; i++)
            {
                await client.DataAsync((2 * i) + 1, [0, 0, 0, 0x10, 0]); // 4 KiB will follow.
                for (var part = 0; part < 7 && await pace.WaitForNextTickAsync(over); part++)
                    await client.DataAsync((2 * i) + 1, new byte[512]);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    /// <returns>The headers of the next answer: Kestrel writes what no table has as it is.</returns>
    /// <param name="stream">To this call; null to any.</param>
    /// <param name="from">To this call, or to one that began later.</param>
    private static async Task<string> AnsweredAsync(RawHttp2 client, int? stream = null, int from = 0)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (true)
        {
            var (kind, at, body) = await client.ReadAsync(deadline.Token);
            if (kind == RawHttp2.Headers && at == (stream ?? at) && at >= from)
                return Encoding.ASCII.GetString(body);
        }
    }

    private static async Task<bool> IsHungUpOnAsync(NodeCluster cluster, string from, bool makesNodeReset = false)
    {
        await using var client = await ConnectAsync(cluster, from);
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        try
        {
            for (var i = 0; i < 2 * StreamResets.ResetsMax; i++)
            {
                await client.PostAsync((2 * i) + 1, Path);
                if (makesNodeReset)
                    await client.OverflowAsync((2 * i) + 1);
                else
                    await client.ResetAsync((2 * i) + 1);
            }

            while (true)
                await client.ReadAsync(deadline.Token);
        }
        catch (IOException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false; // It goes on.
        }
    }

    private static Task<RawHttp2> ConnectAsync(NodeCluster cluster, string from, int? window = null)
    {
        var at = cluster.AddressOf("n1").Split(':');
        return RawHttp2.ConnectAsync(at[0], int.Parse(at[1], null), from, window);
    }
}
