using Grpc.Core;

namespace ChordChat.Sdk.Sessions;

/// <summary>Notices a node that has fallen silent. A node must answer each heartbeat; otherwise one whose connection
/// lives while its chat is stuck, or that takes no bytes, would keep its clients for ever.</summary>
/// <remarks>docs/e2e.md, Session.</remarks>
internal sealed class SilenceWatch(TimeSpan max, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private long _heardAt = time.GetTimestamp();

    /// <summary>A frame came, of whatever kind.</summary>
    public void Heard() => Volatile.Write(ref _heardAt, time.GetTimestamp());

    /// <summary>Runs until cancelled, or until nothing was heard for too long.</summary>
    /// <exception cref="RpcException">DEADLINE_EXCEEDED.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (time.GetElapsedTime(Volatile.Read(ref _heardAt)) < max)
            await Task.Delay(Poll, time, cancellation);
        throw new RpcException(new Status(StatusCode.DeadlineExceeded, "the node does not answer heartbeats"));
    }
}
