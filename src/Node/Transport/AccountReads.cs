using ChordChat.Node.Hosting;
using Grpc.Core;

namespace ChordChat.Node.Transport;

/// <summary>Turns at reading accounts for calls without a session: an account may have 1.3 MiB at each copy. Strangers
/// and people with a pass have turns of their own.</summary>
/// <remarks>docs/security.md, "What a call may cost".</remarks>
internal sealed class AccountReads(TimeProvider time)
{
    public const int OfStrangersMax = 4;
    public const int OfUsersMax = 8;

    /// <summary>A caller that waits has cost nothing yet.</summary>
    private static readonly (int PerBlock, int InAll) Places = (1_024, 4_096);

    private static readonly TimeSpan Tenure = TimeSpan.FromSeconds(5);

    private readonly FairQueue _strangers = new((2, OfStrangersMax), Places, Tenure, time);
    private readonly FairQueue _users = new((6, OfUsersMax), Places, Tenure, time);

    /// <returns>To be disposed of when the account has been read.</returns>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many wait already.</exception>
    public Task<IDisposable> OfStrangerAsync(ServerCallContext call) => TakeAsync(_strangers, call);

    /// <summary>As <see cref="OfStrangerAsync"/>, for people with a pass.</summary>
    public Task<IDisposable> OfUserAsync(ServerCallContext call) => TakeAsync(_users, call);

    private static async Task<IDisposable> TakeAsync(FairQueue queue, ServerCallContext call) =>
        await queue.TryTakeAsync(call.GetHttpContext().Connection.RemoteIpAddress, call.CancellationToken)
            ?? throw ChatFaults.TooManyCalls();
}
