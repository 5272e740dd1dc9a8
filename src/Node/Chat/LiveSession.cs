using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>One client that is connected to this node: who it is, and what goes to and fro.</summary>
/// <remarks>Owns no task and no timer: 2,000 idle sessions cost 2,000 small objects.</remarks>
internal sealed class LiveSession : IDisposable
{
    private readonly CancellationTokenSource _lifetime;
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SessionRecord _record;
    private long _heardAt;
    private int _isDoubted;
    private long _readInDoubtFrom;

    /// <param name="isDegraded">No majority has agreed on the number yet; the session's keeper tries again.</param>
    /// <param name="call">Ends when the client's call ends.</param>
    public LiveSession(
        string user,
        SessionRecord record,
        bool isDegraded,
        IMessageSets sets,
        ChatOptions options,
        long now,
        CancellationToken call)
    {
        (User, _record, IsDegraded, _heardAt) = (user, record, isDegraded, now);
        _lifetime = CancellationTokenSource.CreateLinkedTokenSource(call);
        Lifetime = _lifetime.Token;
        Outgoing = new Outgoing(options.OutgoingBytesMax);
        Mail = new SessionMail(
            SetKey.Mailbox(user), Outgoing, sets, options.OutgoingBytesMax, TimeProvider.System, Lifetime);
        Settling = new MailSettling(SetKey.Mailbox(user), sets, Lifetime);
        Sends = new SendWindow(options.SendsInFlightMax);
        NextRenewalAt = now + 1000;
    }

    public string User { get; }
    public Outgoing Outgoing { get; }
    public SessionMail Mail { get; }
    public MailSettling Settling { get; }
    public SendWindow Sends { get; }
    public RecentSends Recent { get; } = new();

    /// <summary>Mail that this node keeps in memory for the client.</summary>
    public long BufferedBytes => Outgoing.WaitingBytes + Mail.HeldBytes;
    public CancellationToken Lifetime { get; }

    public ulong Number => _record.Number;
    public uint Epoch => _record.Epoch;
    public UInt128 Device => _record.Device;
    public bool IsDegraded { get; private set; }

    /// <summary>Steady time of the client's last sign of life.</summary>
    public long HeardAt
    {
        get => Volatile.Read(ref _heardAt);
        set => Volatile.Write(ref _heardAt, value);
    }

    /// <summary>Written and read by the session's keeper only.</summary>
    public long NextRenewalAt { get; set; }

    public bool WasRenewed { get; set; }

    /// <summary>By which its client was let in.</summary>
    public required KeptHello Hello { get; init; }

    /// <summary>The key-log entry of the client's device.</summary>
    public required ReadOnlyMemory<byte> Entry { get; init; }

    /// <summary>The key-log entry by which the client was let in, when no majority agreed on it; else empty. Until one
    /// does, nothing is deleted for this client.</summary>
    public ReadOnlyMemory<byte> UnprovenEntry
    {
        get;
        init => Settling.IsHeld = !(field = value).IsEmpty;
    }

    /// <summary>The keeper's latest try to get a degraded session its number.</summary>
    public Task Confirming { get; set; } = Task.CompletedTask;

    /// <summary>The change of the user's circle that is under way. Written by the line's reader only.</summary>
    public Task ChangingCircle { get; set; } = Task.CompletedTask;

    public Lease Lease => new(User, _record.Number, _record.Node, _record.SinceMs);

    /// <summary>Ends once nothing more is to be written to this client.</summary>
    public Task Over => _over.Task;

    public bool IsAt(NodeId node) => _record.Node == node;

    /// <summary>Somebody says that a newer session is elsewhere.</summary>
    /// <returns>Whether to find out now; not while somebody does already. <see cref="Doubted"/> follows.</returns>
    public bool TryDoubt() => Interlocked.Exchange(ref _isDoubted, 1) == 0;

    /// <summary>Whether the mailbox is to be read because of a doubt: once a minute, however often somebody lies.
    /// </summary>
    /// <remarks>Called between <see cref="TryDoubt"/> and <see cref="Doubted"/>, so never twice at once.</remarks>
    public bool MayReadInDoubt(long now)
    {
        if (now < _readInDoubtFrom)
            return false;
        _readInDoubtFrom = now + 60_000;
        return true;
    }

    public void Doubted() => Volatile.Write(ref _isDoubted, 0);

    /// <summary>A majority has agreed at last.</summary>
    public void Confirmed(SessionRecord record)
    {
        _record = record;
        IsDegraded = false;
        Settling.IsHeld = false;
        Settling.Start();
    }

    public void TakenOver(ReadOnlyMemory<byte> entry) =>
        End(new SessionEnd(SessionEndReason.TakenOver, entry, "you signed in on another device"));

    /// <summary>Tells the client why, as the last thing, and hangs up.</summary>
    public void End(SessionEnd end)
    {
        Outgoing.End(end);
        EndLifetime();
    }

    /// <summary>Hangs up without a word: the client is gone.</summary>
    public void Close()
    {
        Outgoing.Close();
        EndLifetime();
        _over.TrySetResult();
    }

    public void Dispose()
    {
        Close();
        _lifetime.Dispose();
    }

    private void EndLifetime()
    {
        try
        {
            _lifetime.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call has ended already.
        }
    }
}
