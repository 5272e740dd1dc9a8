using ChordChat.Core.Tiles;
using ChordChat.Crypto.Messages;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Brings one session its mail: what the mailbox keeps, and what comes in meanwhile, each once.</summary>
/// <remarks>
/// Live mail goes straight to the client. When the client reads too slowly, live mail is refused, and the mailbox is
/// read again once the client has caught up: a client that reads nothing costs no more than its bounded queue.
/// Locks: this one, then <see cref="Outgoing"/>'s.
/// </remarks>
internal sealed class SessionMail(
    SetKey mailbox, Outgoing outgoing, IMessageSets sets, int heldBytesMax, TimeProvider time,
    CancellationToken lifetime)
{
    /// <summary>Pushed messages that a client may leave unacknowledged before nothing more is pushed live.</summary>
    public const int PushedMax = 16_384;

    /// <summary>From one reading that the client asks for to the next: a question is short, and a mailbox may be large.
    /// </summary>
    private static readonly TimeSpan AskedPause = TimeSpan.FromSeconds(1);

    /// <summary>How often the pause doubles while the client asks in vain: to four seconds, and it gives up no gap
    /// within twelve.</summary>
    private const int InVainMax = 2;

    /// <summary>A client that asks so rarely asks for a reason.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(30);


    /// <summary>What a held message costs beside its content.</summary>
    private const int HeldOverheadBytes = 128;

    private readonly Lock _turn = new();
    private HashSet<MessageId>? _pushed;
    private HashSet<MessageId>? _settled; // Acknowledged during a scan, which may still bring them.
    private List<StoredMessage>? _held; // Live mail during a scan: comes after what the mailbox kept before it.
    private long _heldBytes;
    private SignalBudget? _signals;
    private bool _isScanning;
    private bool _isWaiting; // For its turn to scan: till then mail comes as ever.
    private bool _scanAgain;
    private bool _isBehind;
    private bool _foundSome;
    private ulong _askedFor; // The newest reading that the client asked for.
    private bool _isAsked;
    private long? _askedAt; // When the last one that it asked for began.
    private int _inVain; // So many of those have brought nothing, one after the other.
    private int _vainScans;
    private int _patience;

    /// <summary>The last scan did not reach a majority; the session's keeper tries again.</summary>
    public bool IsScanDue { get; private set; }

    /// <summary>Bytes of live mail that wait for the end of a scan.</summary>
    public long HeldBytes
    {
        get
        {
            lock (_turn)
                return _heldBytes;
        }
    }

    /// <param name="from">Who sends it, as a node says.</param>
    public DeliverOutcome Deliver(StoredMessage message, string from)
    {
        var isSignal = EnvelopeHeader.SaysDoNotStore(message.Content.Span);
        lock (_turn)
        {
            if (isSignal)
                return PassOn(message, from);
            if (_pushed?.Contains(message.Id) == true)
                return DeliverOutcome.Delivered;
            if (_isScanning && !_isWaiting)
                return Hold(message);
            if (_isBehind || _pushed?.Count >= PushedMax || !outgoing.TryPush(message))
            {
                _isBehind = true;
                return DeliverOutcome.TooSlow; // After the queue's refusal a drain follows, and sees this.
            }

            (_pushed ??= []).Add(message.Id);
            return DeliverOutcome.Delivered;
        }
    }

    /// <summary>These are safe at the client.</summary>
    /// <returns>Those of them that were pushed in this session and not acknowledged yet. Of any other the client's word
    /// is worth nothing: it would be marked as deleted for ever, though it never was.</returns>
    public List<MessageId> Settled(IReadOnlyCollection<MessageId> ids)
    {
        var settled = new List<MessageId>(ids.Count);
        bool hasRoomAgain;
        lock (_turn)
        {
            var wasFull = _pushed?.Count >= PushedMax;
            foreach (var id in ids)
                if (_pushed?.Remove(id) == true)
                {
                    _settled?.Add(id);
                    settled.Add(id);
                }

            hasRoomAgain = wasFull && _pushed?.Count < PushedMax;
            if (_pushed is { Count: 0 })
                _pushed = null;
        }

        if (hasRoomAgain)
            Drained();
        return settled;
    }

    /// <summary>The client has read all that waited for it.</summary>
    public void Drained()
    {
        lock (_turn)
        {
            if (!_isBehind || _pushed?.Count >= PushedMax)
                return;
            _isBehind = false;
        }

        Scan();
    }

    /// <summary>A member of the mailbox's tile says how much mail waits there. More than was pushed and not yet
    /// acknowledged means that some was missed; the second time in a row it is looked for.</summary>
    public void Heard(int pendingCount, bool isNew)
    {
        lock (_turn)
        {
            if (_isScanning || _isBehind)
                return;
            if (pendingCount <= (_pushed?.Count ?? 0))
            {
                _patience = 1;
                _vainScans = 0;
                return;
            }

            if (!isNew && _patience-- > 0)
                return;
            _patience = 1 << Math.Min(++_vainScans, 4);
        }

        Scan();
    }

    /// <summary>The client wants again all that it has not acknowledged.</summary>
    /// <param name="reading">Its number.</param>
    public void Repeat(ulong reading)
    {
        lock (_turn)
            _pushed = null;
        Resync(reading);
    }

    /// <summary>The client wants what was not pushed yet.</summary>
    /// <param name="reading">Its number: docs/protocol.md#readings.</param>
    public void Resync(ulong reading)
    {
        lock (_turn)
        {
            _askedFor = Math.Max(_askedFor, reading);
            _isAsked = true;
        }

        Scan();
    }

    /// <summary>Reads the mailbox from the beginning and pushes what was not pushed yet.</summary>
    public void Scan()
    {
        lock (_turn)
        {
            IsScanDue = false;
            _scanAgain = _isScanning;
            if (_isScanning)
                return;
            _isScanning = true;
        }

        _ = ScanAsync();
    }

    private async Task ScanAsync()
    {
        try
        {
            bool isComplete;
            do
            {
                await PaceAsync();
                isComplete = await ScanOnceAsync();
            }
            while (GoesOn(isComplete));
        }
        catch (OperationCanceledException)
        {
            // The session is over.
        }
    }

    /// <summary>Questions that come meanwhile are answered by the same reading.</summary>
    private async ValueTask PaceAsync()
    {
        lock (_turn)
            if (!_isAsked)
                return;
        // What the client has got already costs its reader nothing, but the nodes as much as ever.
        _inVain = _foundSome || _askedAt is not { } before || time.GetElapsedTime(before) > Calm ? 0
            : Math.Min(_inVain + 1, InVainMax);
        if (_askedAt is { } last && (AskedPause * (1 << _inVain)) - time.GetElapsedTime(last) is var rest
            && rest > TimeSpan.Zero)
        {
            lock (_turn)
                _isWaiting = true;
            await Task.Delay(rest, time, lifetime);
        }

        _askedAt = time.GetTimestamp();
        lock (_turn)
            (_isAsked, _scanAgain, _isWaiting) = (false, false, false);
    }

    private async Task<bool> ScanOnceAsync()
    {
        ulong askedFor;
        lock (_turn)
        {
            askedFor = _askedFor;
            _settled = [];
            _foundSome = false;
        }

        try
        {
            await foreach (var page in sets.ScanAsync(mailbox, lifetime))
                foreach (var message in page)
                    while (!TryBring(message))
                    {
                        await outgoing.RoomAsync(lifetime);
                        lifetime.ThrowIfCancellationRequested();
                    }

            outgoing.CaughtUp(askedFor);
            return true;
        }
        catch (Exception) when (!lifetime.IsCancellationRequested)
        {
            return false; // Too few answer, or worse: the session's keeper has it read again.
        }
    }

    private bool TryBring(StoredMessage message)
    {
        lock (_turn)
        {
            if (_settled?.Contains(message.Id) == true || _pushed?.Contains(message.Id) == true
                || message.Content.IsEmpty) // Nobody honest has kept it.
                return true;
            if (!outgoing.TryPush(message))
                return false;
            (_pushed ??= []).Add(message.Id);
            _foundSome = true;
            return true;
        }
    }

    /// <summary>Never in the mailbox, so acknowledging it has no effect: it would leave a tombstone. Nor may it bury a
    /// message of its id that the client has not acknowledged yet: docs/protocol.md#signals.</summary>
    private DeliverOutcome PassOn(StoredMessage signal, string from) =>
        (!_isScanning || _isWaiting) && !_isBehind && signal.Content.Length <= SignalBudget.BytesMax
        && _pushed?.Contains(signal.Id) != true && (_signals ??= new(time)).Takes(from) && outgoing.TryPush(signal)
            ? DeliverOutcome.Delivered
            : DeliverOutcome.TooSlow;

    private DeliverOutcome Hold(StoredMessage message)
    {
        var bytes = message.Content.Length + HeldOverheadBytes;
        if (_heldBytes + bytes > heldBytesMax)
        {
            _scanAgain = true;
            return DeliverOutcome.TooSlow;
        }

        (_held ??= []).Add(message);
        _heldBytes += bytes;
        return DeliverOutcome.Delivered;
    }

    /// <summary>After a scan: the live mail that came during it. What does not fit is read from the mailbox later.
    /// </summary>
    private void Release()
    {
        var held = _held;
        _held = null;
        _heldBytes = 0;
        foreach (var message in held ?? [])
            if (_isBehind || !TryBring(message))
                _isBehind = true;
    }

    private bool GoesOn(bool isComplete)
    {
        lock (_turn)
        {
            if (_foundSome)
                _vainScans = 0;
            Release();
            IsScanDue = !isComplete;
            _isScanning = _scanAgain && isComplete;
            _scanAgain = false;
            _settled = null;
            return _isScanning;
        }
    }
}
