using ChordChat.Node.Base;
using ChordChat.Node.Links;
using Grpc.Core;

namespace ChordChat.Node.Chat;

/// <summary>Turns at reading accounts for calls without a session: an account may have 1.3 MiB at each copy. Strangers
/// and people with a pass have turns of their own.</summary>
/// <remarks>docs/security.md, "What a call may cost".</remarks>
internal sealed class AccountReads(TimeProvider time)
{
    public const int OfStrangersMax = 4;
    public const int OfUsersMax = 8;

    /// <summary>A caller that waits has cost nothing yet.</summary>
    private static readonly (int PerBlock, int InAll) Places = (1_024, 4_096);

    /// <summary>How long a reading keeps its turn; then its account has no majority, perhaps for long, and others
    /// go on. It is read on without a turn, if not too many are already.</summary>
    public static readonly TimeSpan TurnMax = TimeSpan.FromSeconds(1);

    /// <summary>Readings that go on without a turn.</summary>
    public const int SlowMax = 64;

    private static readonly TimeSpan Tenure = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time = time;
    private readonly FairQueue _strangers = new((2, OfStrangersMax), Places, Tenure, time);
    private readonly FairQueue _users = new((6, OfUsersMax), Places, Tenure, time);
    private int _slow;

    /// <returns>To be disposed of when the account has been read.</returns>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many wait already.</exception>
    public Task<IDisposable> OfStrangerAsync(ServerCallContext call) => TakeAsync(_strangers, call);

    /// <summary>As <see cref="OfStrangerAsync"/>, for people with a pass.</summary>
    public Task<IDisposable> OfUserAsync(ServerCallContext call) => TakeAsync(_users, call);

    private async Task<IDisposable> TakeAsync(FairQueue queue, ServerCallContext call) => new Reading(
        this, await queue.TryTakeAsync(call.GetHttpContext().Connection.RemoteIpAddress, call.CancellationToken)
            ?? throw CallFaults.TooManyCalls());

    private bool TryCountSlow()
    {
        if (Interlocked.Increment(ref _slow) <= SlowMax)
            return true;
        Interlocked.Decrement(ref _slow);
        return false;
    }

    private sealed class Reading : IDisposable
    {
        private readonly Lock _change = new();
        private readonly AccountReads _reads;
        private readonly FairQueue.Turn _turn;
        private readonly ITimer _timer;
        private bool _isSlow;
        private bool _isOver;

        public Reading(AccountReads reads, FairQueue.Turn turn)
        {
            (_reads, _turn) = (reads, turn);
            _timer = reads._time.CreateTimer(
                static self => ((Reading)self!).LetOthers(), this, TurnMax, Timeout.InfiniteTimeSpan);
        }

        public void Dispose()
        {
            lock (_change)
            {
                if (_isOver)
                    return;
                _isOver = true;
                if (_isSlow)
                    Interlocked.Decrement(ref _reads._slow);
            }

            _timer.Dispose();
            _turn.Dispose();
        }

        private void LetOthers()
        {
            lock (_change)
            {
                if (_isOver || !_reads.TryCountSlow())
                    return;
                _isSlow = true;
            }

            _turn.LetOthers();
        }
    }
}
