using ChordChat.Node.Identity;
using ChordChat.Tests.Cluster.Admission;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Xunit;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>docs/protocol.md#bad-input at a real node: each call is answered, and the node serves on.</summary>
public sealed class BadCallTests : IAsyncLifetime
{
    private static readonly WireTileEpoch Strange = new() { Bits = 3, Prefix = 1, Epoch = 1 };
    private readonly Founded _cluster = Founded.Of(2);
    private GrpcChannel _member = null!;
    private GrpcChannel _client = null!;

    public async Task InitializeAsync()
    {
        var address = $"https://{(await _cluster.StartAsync("n1")).Node.Self.Address}";
        var (tls, trust) = (new ClusterTls(_cluster.Identity("n2")), _cluster.Identity("n2").Trust);
        _member = GrpcChannel.ForAddress(address, new() { HttpHandler = tls.CreateHandler(null) });
        _client = GrpcChannel.ForAddress(address, new() { HttpHandler = ClusterTls.CreateHandler(trust, null) });
    }

    public async Task DisposeAsync()
    {
        _member.Dispose();
        _client.Dispose();
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData("", "127.0.0.1:1")]
    [InlineData("n2", "")]
    [InlineData("n2", "no address")]
    [InlineData("n2", "[abc]:1")]
    public async Task A_peer_that_cannot_be_called_is_not_taken(string name, string address)
    {
        var ring = new Ring.RingClient(_member);
        var peer = new WirePeer { NodeId = Bytes(32), Position = Bytes(16), Name = name, Address = address };
        var record = new MemberRecord { Peer = peer, Incarnation = 1, Health = MemberRecord.Types.Health.Alive };
        await RefusedAsync(async () => await ring.NotifyAsync(new() { From = peer }, Soon()));
        await RefusedAsync(async () => await ring.PingForAsync(new() { Target = peer }, Soon()));
        await RefusedAsync(async () => await ring.PingAsync(new() { From = record }, Soon()));
        await RefusedAsync(async () => await ring.FindSuccessorAsync(new() { Position = Bytes(15) }, Soon()));
        await ServesAsync();
    }

    [Fact]
    public async Task Calls_that_make_no_sense_fail_and_the_link_goes_on()
    {
        var next = new WireConfiguration { At = Strange, Members = { Bytes(32) } };
        var twice = new WireConfiguration { At = new() { Bits = 7, Epoch = 2 }, Members = { Bytes(32), Bytes(32) } };
        var far = new WireTileEpoch { Bits = 7, Epoch = ulong.MaxValue };
        Call[] calls =
        [
            new(), new() { At = Strange }, new() { Peek = new() { Key = "acct/k" } },
            new() { At = new() { Bits = 7, Prefix = 128 }, Peek = new() { Key = "acct/k" } },
            new() { At = far, Peek = new() { Key = "acct/k" } },
            new() { At = new() { Bits = 7, Epoch = 1 }, Peek = new() { Key = "acct/k\0" } },
            new() { At = new() { Bits = 7, Epoch = 1 }, Add = new() { Set = "mbox/s", Id = Bytes(15) } },
            new()
            {
                At = new() { Bits = 7, Epoch = 1 },
                Seal = new() { Epoch = 1, Round = ulong.MaxValue, Proposer = Bytes(32) },
            },
            new() { At = new() { Bits = 7, Epoch = 1 }, Pull = new() },
            new() { NewConfiguration = new() { Next = next } }, new() { NewConfiguration = new() { Next = twice } },
            new() { RenewLeases = new() { Renewals = { new LeaseRenewalCall() } } }, new() { Deliver = new() },
        ];
        using var link = new Wire.Replica.ReplicaClient(_member).Link(deadline: DateTime.UtcNow.AddMinutes(1));
        for (var i = 0; i < calls.Length; i++)
            calls[i].Number = (ulong)i + 1;
        await GreetAsync(link);
        await link.RequestStream.WriteAsync(new CallFrame { DurableSeq = 1, Calls = { calls } });
        var answers = new Dictionary<ulong, Answer>();
        while (answers.Count < calls.Length && await link.ResponseStream.MoveNext(CancellationToken.None))
            foreach (var answer in link.ResponseStream.Current.Answers)
                answers[answer.Number] = answer;
        Assert.All(
            calls, call => Assert.True(answers[call.Number].Failed is not null, $"{call} got {answers[call.Number]}"));

        // An unknown tile and another epoch are no mistakes of form: they have answers of their own.
        await link.RequestStream.WriteAsync(new CallFrame
        {
            DurableSeq = 1,
            Calls =
            {
                new Call { Number = 98, At = Strange, Peek = new() { Key = "acct/k" } },
                new Call { Number = 99, At = new() { Bits = 7, Epoch = 9 }, Peek = new() { Key = "acct/k" } },
                new Call { Number = 100, At = new() { Bits = 7, Epoch = 0 }, Peek = new() { Key = "acct/k" } },
            },
        });
        while (!answers.ContainsKey(100) && await link.ResponseStream.MoveNext(CancellationToken.None))
            foreach (var answer in link.ResponseStream.Current.Answers)
                answers[answer.Number] = answer;
        Assert.Equal(Answer.BodyOneofCase.WrongTile, answers[98].BodyCase);
        Assert.Equal(Answer.BodyOneofCase.Behind, answers[99].BodyCase);
        Assert.Equal(Answer.BodyOneofCase.Stale, answers[100].BodyCase);
        await ServesAsync();
    }

    [Fact]
    public async Task A_link_without_a_history_of_the_disk_that_makes_sense_carries_nothing()
    {
        WireRun first = new() { Incarnation = 1 }, second = new() { Incarnation = 2, Found = 9 };
        DiskHello?[] hellos =
        [
            null, new(), new() { Runs = { second, first }, DurableSeq = 9 },
            new() { Runs = { second }, DurableSeq = 8 },
            new() { Runs = { first, second, new WireRun { Incarnation = 3, Found = 8 } }, DurableSeq = 9 },
            new() { Runs = { Enumerable.Range(1, 65).Select(i => new WireRun { Incarnation = (ulong)i }) } },
        ];
        foreach (var hello in hellos)
        {
            using var link = new Wire.Replica.ReplicaClient(_member).Link(Soon());
            await link.RequestStream.WriteAsync(
                new CallFrame { Hello = hello, DurableSeq = 9, Calls = { new Call { Number = 1, At = Strange } } });
            await RefusedAsync(() => link.ResponseStream.MoveNext(CancellationToken.None));
        }

        await ServesAsync();
    }

    [Fact]
    public async Task Clients_that_send_nonsense_are_refused()
    {
        var chat = new Wire.Chat.ChatClient(_client);
        await RefusedAsync(async () => await chat.RegisterAsync(new(), Soon()));
        await RefusedAsync(async () => await chat.RegisterAsync(
            new() { User = "A B", Operation = Bytes(16), Secret = "s", KeyLogEntry = Bytes(9) }, Soon()));
        await RefusedAsync(async () => await chat.RegisterAsync(
            new() { User = "anna", Operation = Bytes(16), Keyring = Bytes(3 << 20) }, Soon()));
        await RefusedAsync(async () => await chat.LogInAsync(new() { User = "anna", Secret = "short" }, Soon()));
        await RefusedAsync(async () => await chat.PublishKeysAsync(new() { User = "\0", Ticket = Bytes(3) }, Soon()));
        await RefusedAsync(async () => await chat.GetKdfAsync(new() { User = new('x', 100_000) }, Soon()));
        await RefusedAsync(async () => await chat.GetKeyLogAsync(new() { User = "ü", From = ulong.MaxValue }, Soon()));
        await RefusedAsync(async () => await chat.GetStatusAsync(new() { User = "" }, Soon()));
        await RefusedAsync(async () => await chat.WhereAsync(new() { User = "../.." }, Soon()));
        await RefusedAsync(
            async () => await new Wire.View.ViewClient(_client).TraceAsync(new() { Name = "ü" }, Soon()));
        using var session = chat.Connect(Soon());
        await session.RequestStream.WriteAsync(new ClientFrame { LogOut = true, Sends = { new Send() } });
        await RefusedAsync(async () =>
        {
            while (await session.ResponseStream.MoveNext(CancellationToken.None))
                Assert.NotNull(session.ResponseStream.Current.Challenge);
        });
        await ServesAsync();
    }

    /// <summary>docs/protocol.md#copied-and-restored-disks: n2's first frame.</summary>
    private static async Task GreetAsync(AsyncDuplexStreamingCall<CallFrame, AnswerFrame> link)
    {
        await link.RequestStream.WriteAsync(new CallFrame
        {
            Hello = new() { Runs = { new WireRun { Incarnation = 1, BootNonce = 1 } }, DurableSeq = 1 },
        });
        Assert.True(await link.ResponseStream.MoveNext(CancellationToken.None));
        Assert.NotNull(link.ResponseStream.Current.Hello);
    }

    /// <summary>Refused in words, not by an exception that nobody expected (Unknown) and not by silence.</summary>
    private static async Task RefusedAsync(Func<Task> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(call);
        Assert.True(
            refused.StatusCode is not (StatusCode.Unknown or StatusCode.Internal or StatusCode.DeadlineExceeded),
            $"{refused.Status}");
    }

    private async Task ServesAsync()
    {
        var info = await new Wire.Chat.ChatClient(_client).GetClusterAsync(new(), Soon());
        Assert.Equal("n1", info.NodeName);
        await new Ring.RingClient(_member).GetRingAsync(new(), Soon());
    }

    private static CallOptions Soon() => new(deadline: DateTime.UtcNow.AddMinutes(1));

    private static ByteString Bytes(int length) => ByteString.CopyFrom(new byte[length]);
}
