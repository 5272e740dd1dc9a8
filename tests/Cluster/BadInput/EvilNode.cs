using System.Collections.Concurrent;
using System.Security.Cryptography;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Wire;
using Grpc.Core;
using Grpc.Net.Client;

namespace ChordChat.Tests.Cluster.BadInput;

/// <summary>A node with a genuine certificate that says on the link to another whatever it likes.</summary>
internal sealed class EvilNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly GrpcChannel _channel;
    private readonly AsyncDuplexStreamingCall<CallFrame, AnswerFrame> _link;
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<Answer>> _asked = new();
    private readonly SemaphoreSlim _turn = new(1);
    private ulong _number;
    private Task _reading = Task.CompletedTask;

    private EvilNode(NodeIdentity identity, string address)
    {
        Node = identity.Self.Node;
        _channel = ChannelTo(identity, address);
        _link = new Wire.Replica.ReplicaClient(_channel).Link();
    }

    public NodeId Node { get; }

    /// <summary>Ends when the other node hangs up.</summary>
    public Task HungUp => _reading;

    public Wire.Ring.RingClient Ring => new(_channel);

    public static GrpcChannel ChannelTo(NodeIdentity identity, string address) =>
        GrpcChannel.ForAddress($"https://{address}", new()
        {
            HttpHandler = new ClusterTls(identity).CreateHandler(null),
            DisposeHttpClient = true,
        });

    /// <summary>Links up with a node as one of its peers would.</summary>
    public static async Task<EvilNode> LinkAsync(NodeIdentity identity, RunningNode victim)
    {
        var evil = new EvilNode(identity, victim.Node.Self.Address);
        await evil._link.RequestStream.WriteAsync(new()
        {
            Hello = new() { Runs = { new WireRun { Incarnation = 1, BootNonce = 1 } } },
        });
        if (!await evil._link.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience)
            || evil._link.ResponseStream.Current.Hello is null)
            throw new InvalidOperationException("the node does not let it link up");
        evil._reading = evil.ReadAsync();
        return evil;
    }

    /// <summary>Says what it likes, and does not wait.</summary>
    public Task SayAsync(CallFrame frame) => _link.RequestStream.WriteAsync(frame);

    public Task<Answer> AskAsync(ReplicaRequest request) => AskAsync(request.ToWire());

    public async Task<Answer> AskAsync(Call call)
    {
        var answered = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _turn.WaitAsync();
        try
        {
            call.Number = ++_number;
            _asked[call.Number] = answered;
            await _link.RequestStream.WriteAsync(new() { Calls = { call }, DurableSeq = 0 });
        }
        finally
        {
            _turn.Release();
        }

        return await answered.Task.WaitAsync(Patience);
    }

    /// <summary>A ballot of its own.</summary>
    public Ballot Ballot(ulong epoch, ulong round) => new(epoch, round, Node, 1);

    public async ValueTask DisposeAsync()
    {
        _link.Dispose();
        _channel.Dispose();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _turn.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _link.ResponseStream.MoveNext(CancellationToken.None))
                foreach (var answer in _link.ResponseStream.Current.Answers)
                    if (_asked.TryRemove(answer.Number, out var asked))
                        asked.TrySetResult(answer);
        }
        catch (Exception e) when (e is RpcException or ObjectDisposedException)
        {
            // The other node, or the test, has hung up.
        }

        foreach (var asked in _asked.Values)
            asked.TrySetException(new IOException("the link is gone"));
    }

    public static byte[] Bytes(int count) => RandomNumberGenerator.GetBytes(count);
}
