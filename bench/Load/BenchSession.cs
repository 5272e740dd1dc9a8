using ChordChat.Bench.Nodes;
using ChordChat.Bench.Users;
using ChordChat.Crypto;
using ChordChat.Crypto.Sessions;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace ChordChat.Bench.Load;

/// <summary>A user's Connect stream on a connection of its own, without all that a client does besides.</summary>
/// <remarks>Safe for threads. What is put while a frame is being written goes into the next one.</remarks>
internal sealed class BenchSession : IDisposable
{
    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<ClientFrame, NodeFrame> _call;
    private readonly Lock _turn = new();
    private ClientFrame _gathering = new();
    private Action<BenchSession, NodeFrame>? _take;
    private bool _isEmpty = true;
    private bool _isWriting;

    private BenchSession(Person owner, GrpcChannel channel)
    {
        (Owner, _channel) = (owner, channel);
        _call = new Chat.ChatClient(channel).Connect();
    }

    public Person Owner { get; }

    public static async Task<BenchSession> OpenAsync(
        LocalNode node, Person owner, ClusterId cluster, CancellationToken cancellation)
    {
        var session = new BenchSession(owner, LocalNodes.Connect(node));
        await session.GreetAsync(cluster, cancellation);
        _ = session.ReadAsync();
        return session;
    }

    /// <summary>From now on every frame goes here, on the reader's thread.</summary>
    public void HandTo(Action<BenchSession, NodeFrame> take) => Volatile.Write(ref _take, take);

    public void Send(Send send)
    {
        lock (_turn)
        {
            _gathering.Sends.Add(send);
            _isEmpty = false;
        }
    }

    public void Acknowledge(ByteString id)
    {
        lock (_turn)
        {
            _gathering.Acknowledged.Add(id);
            _isEmpty = false;
        }
    }

    public void Heartbeat()
    {
        lock (_turn)
        {
            _gathering.Heartbeat = true;
            _isEmpty = false;
        }

        Flush();
    }

    /// <summary>Sees to it that what was put is written.</summary>
    public void Flush()
    {
        lock (_turn)
        {
            if (_isWriting || _isEmpty)
                return;
            _isWriting = true;
        }

        _ = WriteAsync();
    }

    public void Dispose()
    {
        _call.Dispose();
        _channel.Dispose();
    }

    private async Task WriteAsync()
    {
        while (true)
        {
            ClientFrame frame;
            lock (_turn)
            {
                _isWriting = !_isEmpty;
                if (_isEmpty)
                    return;
                (frame, _gathering, _isEmpty) = (_gathering, new ClientFrame(), true);
            }

            try
            {
                await _call.RequestStream.WriteAsync(frame);
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException or ObjectDisposedException)
            {
                return; // Disposed of, or the node has hung up, which the reader says.
            }
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _call.ResponseStream.MoveNext(CancellationToken.None))
                Volatile.Read(ref _take)?.Invoke(this, _call.ResponseStream.Current);
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException)
        {
            // Over.
        }
    }

    private async Task GreetAsync(ClusterId cluster, CancellationToken cancellation)
    {
        if (!await _call.ResponseStream.MoveNext(cancellation)
            || _call.ResponseStream.Current.Challenge is not { } challenge)
            throw new BenchFailedException($"no challenge for {Owner.Name}");
        var nonce = HelloNonce.New(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        var signature = SessionProof.Sign(
            Owner.Keys.Device.Signing, cluster, challenge.NodeId.Span, Owner.Name, 1, challenge.NodeNonce.Span, nonce);
        await _call.RequestStream.WriteAsync(
            new ClientFrame
            {
                Hello = new Hello
                {
                    User = Owner.Name,
                    Epoch = 1,
                    ClientNonce = ByteString.CopyFrom(nonce),
                    Signature = ByteString.CopyFrom(signature),
                    Client = "chordchat-bench",
                },
            },
            cancellation);
        if (!await _call.ResponseStream.MoveNext(cancellation) || _call.ResponseStream.Current.Welcome is null)
            throw new BenchFailedException($"no welcome for {Owner.Name}");
    }
}
