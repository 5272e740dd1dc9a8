using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Tests.Cluster.StandIns;

/// <summary>A chat service without a chat: it shows what travels over a call.</summary>
internal sealed class EchoChat : Wire.Chat.ChatBase
{
    /// <summary>Completes when a call that never ends by itself was seen to be cancelled here.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Task<ClusterInfo> GetCluster(GetClusterRequest request, ServerCallContext context)
    {
        var name = context.RequestHeaders.GetValue("name") ?? "";
        context.ResponseTrailers.Add("seen-bin", context.RequestHeaders.GetValueBytes("token-bin") ?? []);
        return Task.FromResult(new ClusterInfo { NodeName = name, Copies = 3 });
    }

    public override Task<KdfParameters> GetKdf(GetKdfRequest request, ServerCallContext context) =>
        throw new RpcException(
            new Status(StatusCode.NotFound, $"nobody is called {request.User}"),
            new Metadata { { "hint", "register first" }, { "hint-bin", [1, 2, 255] } });

    /// <summary>Answers only when the caller is gone.</summary>
    public override async Task<MailboxPlace> Where(WhereRequest request, ServerCallContext context)
    {
        using var gone = context.CancellationToken.Register(() => Cancelled.TrySetResult());
        await Task.Delay(Timeout.Infinite, context.CancellationToken);
        return new MailboxPlace();
    }

    /// <summary>Sends each message back until the caller says no more.</summary>
    public override async Task Connect(
        IAsyncStreamReader<ClientFrame> requestStream,
        IServerStreamWriter<NodeFrame> responseStream,
        ServerCallContext context)
    {
        using var gone = context.CancellationToken.Register(() => Cancelled.TrySetResult());
        await foreach (var frame in requestStream.ReadAllAsync(context.CancellationToken))
        {
            var answer = new NodeFrame();
            answer.Pushes.AddRange(frame.Sends.Select(send => new Push { Id = send.Id, Envelope = send.Envelope }));
            await responseStream.WriteAsync(answer, context.CancellationToken);
        }

        context.ResponseTrailers.Add("state", "drained");
    }
}
