using System.Threading.Channels;
using ChordChat.Crypto.Sessions;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>A client's Connect stream: what has come is waited for with a deadline.</summary>
internal sealed class ChatConnection : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static long _helloTimeMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private readonly AsyncDuplexStreamingCall<ClientFrame, NodeFrame> _call;
    private readonly Channel<object> _events = Channel.CreateUnbounded<object>();
    private Task _reading = Task.CompletedTask;

    private ChatConnection(AsyncDuplexStreamingCall<ClientFrame, NodeFrame> call) => _call = call;

    public Welcome? Welcome { get; private set; }
    public SessionEnded? Refusal { get; private set; }

    /// <summary>Answers the challenge as the device of <paramref name="epoch"/>, by default the newest.</summary>
    /// <param name="reads">False for a client that never reads what is pushed.</param>
    public static async Task<ChatConnection> OpenAsync(
        Wire.Chat.ChatClient client, ChatUser user, uint? epoch = null, bool reads = true, bool lies = false,
        bool passOnly = false, byte[]? nonce = null)
    {
        var call = client.Connect();
        var connection = new ChatConnection(call);
        Assert(await call.ResponseStream.MoveNext(CancellationToken.None));
        var challenge = call.ResponseStream.Current.Challenge;
        await call.RequestStream.WriteAsync(
            new ClientFrame { Hello = HelloOf(user, challenge, epoch, lies, passOnly, nonce) });
        Assert(await call.ResponseStream.MoveNext(CancellationToken.None));
        connection.Welcome = call.ResponseStream.Current.Welcome;
        connection.Refusal = call.ResponseStream.Current.Ended;
        if (reads)
            connection._reading = connection.ReadAsync();
        return connection;
    }

    /// <summary>The answer to a challenge, as <see cref="OpenAsync"/> gives it.</summary>
    public static Hello HelloOf(
        ChatUser user, Challenge challenge, uint? epoch = null, bool lies = false, bool passOnly = false,
        byte[]? nonce = null)
    {
        var device = epoch ?? user.Log[^1].Epoch;
        nonce ??= HelloNonce.New(Interlocked.Increment(ref _helloTimeMs));
        var signature = SessionProof.Sign(
            user.Device(lies ? 1 : device), user.Cluster, challenge.NodeId.Span, user.Name, device,
            challenge.NodeNonce.Span, nonce, passOnly ? ProofUse.Pass : ProofUse.Session);
        return new Hello
        {
            User = user.Name,
            Epoch = device,
            ClientNonce = ByteString.CopyFrom(nonce),
            Signature = ByteString.CopyFrom(signature),
            Client = "test",
            PassOnly = passOnly,
        };
    }

    public Task SendAsync(params IEnumerable<Send> sends)
    {
        var frame = new ClientFrame();
        frame.Sends.Add(sends);
        return _call.RequestStream.WriteAsync(frame);
    }

    public Task AcknowledgeAsync(params IEnumerable<ByteString> ids)
    {
        var frame = new ClientFrame();
        frame.Acknowledged.Add(ids);
        return _call.RequestStream.WriteAsync(frame);
    }

    public Task WriteAsync(ClientFrame frame) => _call.RequestStream.WriteAsync(frame);

    /// <summary>The next thing of that kind; others on the way are dropped.</summary>
    public async Task<T> NextAsync<T>(Func<T, bool>? condition = null)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
            if (await _events.Reader.ReadAsync(deadline.Token) is T wanted && condition?.Invoke(wanted) != false)
                return wanted;
    }

    public async Task<List<Push>> PushesAsync(int count)
    {
        var pushes = new List<Push>();
        while (pushes.Count < count)
            pushes.Add(await NextAsync<Push>());
        return pushes;
    }

    /// <summary>What has come so far and was not taken.</summary>
    public List<object> Rest()
    {
        var rest = new List<object>();
        while (_events.Reader.TryRead(out var item))
            rest.Add(item);
        return rest;
    }

    public void Read() => _reading = ReadAsync();

    /// <summary>Ends when the node has closed the stream.</summary>
    public Task ClosedAsync() => _reading.WaitAsync(Deadline);

    public async ValueTask DisposeAsync()
    {
        _call.Dispose();
        await _reading.WaitAsync(Deadline);
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(CancellationToken.None))
                Take(_call.ResponseStream.Current);
        }
        catch (Exception closed) when (closed is RpcException or ObjectDisposedException)
        {
            // Closed; the latter by DisposeAsync, while what had come before was taken.
        }
    }

    private void Take(NodeFrame frame)
    {
        foreach (var outcome in frame.Outcomes)
            _events.Writer.TryWrite(outcome);
        foreach (var push in frame.Pushes)
            _events.Writer.TryWrite(push);
        if (frame.Circle is { } circle)
            _events.Writer.TryWrite(circle);
        if (frame.CaughtUp)
            _events.Writer.TryWrite("caught up");
        if (frame.CaughtUpReading is > 0 and var reading)
            _events.Writer.TryWrite($"caught up, reading {reading}");
        if (frame.Heartbeat)
            _events.Writer.TryWrite("heartbeat");
        if (frame.Ended is { } ended)
            _events.Writer.TryWrite(ended);
    }

    private static void Assert(bool holds) => Xunit.Assert.True(holds);
}
