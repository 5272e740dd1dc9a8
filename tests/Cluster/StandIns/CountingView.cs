using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Tests.Cluster.StandIns;

/// <summary>A view service that sends a fixed number of snapshots and then ends, or breaks off.</summary>
internal sealed class CountingView : View.ViewBase
{
    public const int Count = 100;

    public bool BreaksOff { get; init; }

    public override async Task Watch(
        WatchRequest request, IServerStreamWriter<Snapshot> responseStream, ServerCallContext context)
    {
        for (var i = 0; i < Count; i++)
            await responseStream.WriteAsync(new Snapshot { SeenBy = $"n{i}" }, context.CancellationToken);
        if (BreaksOff)
            throw new RpcException(new Status(StatusCode.Unavailable, "stopping"));
    }
}
