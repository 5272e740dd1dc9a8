using ChordChat.Node;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Operations;
using ChordChat.Node.Tiles;
using ChordChat.Tests.Cluster.Admission;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChordChat.Tests.Cluster.Nodes;

/// <summary>docs/operations.md, "Limits": what a node takes from one peer while it cannot answer.</summary>
public sealed class LinkLimitTests : IAsyncLifetime
{
    private const int FrameCalls = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Founded _cluster = Founded.Of(2);
    private RunningNode _node = null!;
    private GrpcChannel _channel = null!;

    public async Task InitializeAsync()
    {
        _node = await _cluster.StartAsync("n1");
        _channel = GrpcChannel.ForAddress($"https://{_node.Node.Self.Address}", new()
        {
            HttpHandler = new ClusterTls(_cluster.Identity("n2")).CreateHandler(null),
            DisposeHttpClient = true,
        });
        await _node.Services.GetRequiredService<DiskGuard>().OpenedAsync(CancellationToken.None).WaitAsync(Patience);
    }

    public async Task DisposeAsync()
    {
        _channel.Dispose();
        await _cluster.DisposeAsync();
    }

    /// <remarks>Other calls on the same connection have to go on, however much of its window was not yet given back
    /// when the reading stopped: that is what the sizes are for.</remarks>
    [Theory]
    [InlineData(1_056)]
    [InlineData(1_088)]
    [InlineData(1_112)]
    public async Task Of_a_peer_whose_calls_wait_for_the_disk_so_many_are_read_and_so_many_bytes_taken(int callBytes)
    {
        var content = ByteString.CopyFrom(new byte[callBytes]);
        using var link = await LinkAsync();
        var writer = _node.Services.GetRequiredService<ReplicaWriter>();
        using var disk = new ManualResetEventSlim();
        var slow = await HoldAsync(writer, disk);
        var (sent, most) = (0, 0);
        try
        {
            // Far more than the writer itself would take, unless it becomes too much before.
            while (sent < ReplicaWriter.WaitingMax)
            {
                var writing = link.RequestStream.WriteAsync(Frame(sent, content));
                if (!await IsTakenAsync(writing, writer))
                    break;
                sent += FrameCalls;
                most = Math.Max(most, writer.WaitingCount);
            }

            most = Math.Max(most, writer.WaitingCount);
        }
        finally
        {
            disk.Set();
        }

        Assert.True(await slow);
        Assert.InRange(most, LinkService.UnansweredMax, LinkService.UnansweredMax + FrameCalls + 1_000); // And its own.
        var unread = (long)(sent - LinkService.UnansweredMax) * callBytes;
        Assert.InRange(unread, 0, NodePort.BufferBytesMax + (1 << 20)); // What the sender's own stack holds included.

        // All that was read is answered, and the rest is read then.
        var answered = 0;
        while (answered < sent && await link.ResponseStream.MoveNext(CancellationToken.None))
            answered += link.ResponseStream.Current.Answers.Count;
        Assert.InRange(answered, sent, sent + FrameCalls);
    }

    /// <summary>docs/operations.md, "Limits": they may have 2 MiB each.</summary>
    [Fact]
    public async Task Of_a_peer_whose_large_calls_wait_for_the_disk_only_so_many_bytes_are_read()
    {
        const int CallBytes = 256 << 10;
        const int Calls = 4;
        var content = ByteString.CopyFrom(new byte[CallBytes]);
        using var link = await LinkAsync();
        var writer = _node.Services.GetRequiredService<ReplicaWriter>();
        using var disk = new ManualResetEventSlim();
        var slow = await HoldAsync(writer, disk);
        const int Whole = (int)(LinkService.AnswerBytesMax / CallBytes);
        var (most, writing) = (0, WriteAsync());
        try
        {
            await Condition.UntilAsync(
                "what may wait waits", Patience, () => Task.FromResult(writer.WaitingCount >= Whole - 1));
            for (var i = 0; i < 200; i++)
                await AnotherCallAsync();
            most = writer.WaitingCount;
        }
        finally
        {
            disk.Set();
        }

        Assert.True(await slow);
        Assert.InRange(most, Whole - 1, Whole + Calls + 20); // And its own.
        for (var answered = 0; answered < 4 * Whole; answered += link.ResponseStream.Current.Answers.Count)
            Assert.True(await link.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        await writing;

        async Task WriteAsync()
        {
            for (var sent = 0; sent < 4 * Whole; sent += Calls)
                await link.RequestStream.WriteAsync(Frame(sent, content, Calls));
        }
    }

    [Fact]
    public async Task Of_the_links_of_one_node_the_oldest_ends_with_a_reason()
    {
        var links = new List<AsyncDuplexStreamingCall<CallFrame, AnswerFrame>>();
        for (var i = 0; i <= OpenLinks.PerNodeMax; i++)
        {
            links.Add(new Wire.Replica.ReplicaClient(_channel).Link());
            await links[i].RequestStream.WriteAsync(new CallFrame
            {
                Hello = new() { Runs = { new WireRun { Incarnation = 1, BootNonce = 1 } }, DurableSeq = 1 },
            });
            Assert.True(await links[i].ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        }

        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await links[0].ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience)) { }
        });
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        links.ForEach(link => link.Dispose());
    }

    /// <summary>Whether the other end takes the frame. It does not if it has as many as it may have, and has not while
    /// it answered other calls on the same connection many times over.</summary>
    private async Task<bool> IsTakenAsync(Task writing, ReplicaWriter writer)
    {
        using var deadline = new CancellationTokenSource(Patience);
        for (var i = 0; !writing.IsCompleted && !deadline.IsCancellationRequested
            && (i < 200 || writer.WaitingCount < LinkService.UnansweredMax); i++)
            await AnotherCallAsync();
        if (writing.IsCompleted)
            await writing;
        return writing.IsCompleted;
    }

    private async Task AnotherCallAsync() =>
        await new Wire.Chat.ChatClient(_channel).GetClusterAsync(new(), deadline: DateTime.UtcNow + Patience);

    private async Task<AsyncDuplexStreamingCall<CallFrame, AnswerFrame>> LinkAsync()
    {
        var link = new Wire.Replica.ReplicaClient(_channel).Link();
        await link.RequestStream.WriteAsync(new CallFrame
        {
            Hello = new() { Runs = { new WireRun { Incarnation = 1, BootNonce = 1 } }, DurableSeq = 1 },
        });
        Assert.True(await link.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        return link;
    }

    /// <summary>Keeps the writer at one question until the disk is set, and waits until it has begun: or it would take
    /// the first calls with it.</summary>
    private static async Task<Task<bool>> HoldAsync(ReplicaWriter writer, ManualResetEventSlim disk)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var slow = writer.AskAsync(_ =>
        {
            begun.SetResult();
            disk.Wait();
            return true;
        });
        await begun.Task.WaitAsync(Patience);
        return slow;
    }

    private static CallFrame Frame(int first, ByteString content, int calls = FrameCalls)
    {
        var frame = new CallFrame { DurableSeq = 1 };
        for (var i = 0; i < calls; i++)
            frame.Calls.Add(new Call
            {
                Number = (ulong)(first + i + 1),
                At = new() { Bits = 3, Epoch = 1 }, // No tile of this circle: nothing is written in the end.
                Add = new() { Set = "s", Id = ByteString.CopyFrom(new byte[16]), Content = content },
            });
        return frame;
    }
}
