using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Xunit;

namespace ChordChat.Tests.Cluster.StandIns;

/// <summary>Real calls over TLS through the real libraries, which are bound to our stand-ins.</summary>
public sealed class CallTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly EchoChat _service = new();
    private CallServer _server = null!;

    public async Task InitializeAsync() => _server = await CallServer.StartAsync(_service);

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task A_unary_call_carries_headers_answer_status_and_trailers()
    {
        using var channel = _server.Connect();
        using var call = new Wire.Chat.ChatClient(channel).GetClusterAsync(
            new GetClusterRequest(), new Metadata { { "Name", "n1" }, { "token-bin", [0, 7, 255] } });

        var answer = await call;

        Assert.Equal("n1", answer.NodeName);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
        Assert.Equal([0, 7, 255], call.GetTrailers().GetValueBytes("seen-bin")!);
    }

    [Fact]
    public async Task A_refusal_arrives_with_code_detail_and_hints()
    {
        using var channel = _server.Connect();

        var refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await new Wire.Chat.ChatClient(channel).GetKdfAsync(new GetKdfRequest { User = "carol" }));

        Assert.Equal(StatusCode.NotFound, refusal.StatusCode);
        Assert.Equal("nobody is called carol", refusal.Status.Detail);
        Assert.Equal("register first", refusal.Trailers.GetValue("hint"));
        Assert.Equal([1, 2, 255], refusal.Trailers.GetValueBytes("hint-bin")!);
    }

    [Fact]
    public void A_blocking_call_works_too()
    {
        using var channel = _server.Connect();
        Assert.Equal(3u, new Wire.Chat.ChatClient(channel).GetCluster(new GetClusterRequest()).Copies);
    }

    [Fact]
    public async Task A_duplex_stream_echoes_in_order_and_ends_with_trailers()
    {
        using var channel = _server.Connect();
        using var call = new Wire.Chat.ChatClient(channel).Connect();
        for (var i = 0; i < 1_000; i++)
            await call.RequestStream.WriteAsync(FrameOf(i));
        await call.RequestStream.CompleteAsync();

        var echoed = new List<int>();
        await foreach (var frame in call.ResponseStream.ReadAllAsync())
            echoed.Add(BitConverter.ToInt32(Assert.Single(frame.Pushes).Id.Span));

        Assert.Equal(Enumerable.Range(0, 1_000), echoed);
        Assert.Equal("drained", call.GetTrailers().GetValue("state"));
    }

    [Fact]
    public async Task A_server_stream_arrives_in_order_and_ends()
    {
        await using var server = await CallServer.StartAsync(new CountingView());
        using var channel = server.Connect();
        using var call = new View.ViewClient(channel).Watch(new WatchRequest());

        var seen = new List<string>();
        await foreach (var snapshot in call.ResponseStream.ReadAllAsync())
            seen.Add(snapshot.SeenBy);

        Assert.Equal(Enumerable.Range(0, CountingView.Count).Select(i => $"n{i}"), seen);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_stream_that_breaks_off_delivers_what_came_before_and_then_the_status()
    {
        await using var server = await CallServer.StartAsync(new CountingView { BreaksOff = true });
        using var channel = server.Connect();
        using var call = new View.ViewClient(channel).Watch(new WatchRequest());

        var seen = 0;
        var end = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var _ in call.ResponseStream.ReadAllAsync())
                seen++;
        });

        Assert.Equal((CountingView.Count, StatusCode.Unavailable), (seen, end.StatusCode));
    }

    [Fact]
    public async Task A_deadline_ends_the_call_on_both_sides()
    {
        using var channel = _server.Connect();
        var client = new Wire.Chat.ChatClient(channel);
        // Connects, or the time might be up before the call is heard.
        await client.GetClusterAsync(new GetClusterRequest());

        var refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await client.WhereAsync(new WhereRequest(), deadline: DateTime.UtcNow.AddSeconds(1)));

        Assert.Equal(StatusCode.DeadlineExceeded, refusal.StatusCode);
        await _service.Cancelled.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Cancelling_a_stream_is_seen_on_the_server()
    {
        using var channel = _server.Connect();
        using var cancellation = new CancellationTokenSource();
        using var call = new Wire.Chat.ChatClient(channel).Connect(cancellationToken: cancellation.Token);
        await call.RequestStream.WriteAsync(FrameOf(1));
        Assert.True(await call.ResponseStream.MoveNext());

        await cancellation.CancelAsync();

        var end = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.Cancelled, end.StatusCode);
        await _service.Cancelled.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_method_nobody_wrote_is_unimplemented()
    {
        using var channel = _server.Connect();
        var refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await new Wire.Chat.ChatClient(channel).GetStatusAsync(new GetStatusRequest()));
        Assert.Equal(StatusCode.Unimplemented, refusal.StatusCode);
    }

    private static ClientFrame FrameOf(int number) => new()
    {
        Sends = { new Send { Id = ByteString.CopyFrom(BitConverter.GetBytes(number)), To = "bob" } },
    };
}
