using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>One message on its way, and what its sender has been told of it. Copies come in any order and
/// from any thread; each thing worth knowing is told once.</summary>
/// <remarks>docs/protocol.md#receipt.</remarks>
internal sealed class Submission(LiveSession sender, string to, MessageId id, ReadOnlyMemory<byte> envelope, int copies)
{
    private ReadOnlyMemory<byte> _envelope = envelope;
    private readonly Lock _turn = new();
    private SendState? _told;
    private bool _wasAnswered;
    private bool _isLive;
    private CopiesKept? _toldCopies;
    private CopiesKept _copies = new([], copies);

    /// <summary>Unix milliseconds when its sender first handed it in, here or elsewhere, by this node's
    /// calendar.</summary>
    public required long SentMs { get; init; }

    /// <summary>Whether it may have been read and deleted since: it comes to nobody before a majority has said that it
    /// has not.</summary>
    public bool IsOld(long unixMs) => unixMs - SentMs > RowAges.Default.LateMax.TotalMilliseconds;

    public string From => sender.User;
    public string To => to;
    public MessageId Id => id;
    public int Bytes { get; } = envelope.Length;

    /// <summary>Empty once every copy is on disk, or <see cref="ForgetEnvelope"/> was called; so take it once, and
    /// look.
    /// </summary>
    public ReadOnlyMemory<byte> Envelope
    {
        get
        {
            lock (_turn)
                return _envelope;
        }
    }

    /// <summary>Who keeps it, as its sender was told last.</summary>
    public CopiesKept Copies
    {
        get
        {
            lock (_turn)
                return _copies;
        }
    }

    /// <summary>Made once, because it is passed on with each try.</summary>
    public Action<CopiesKept> Progress => Keep;

    /// <summary>It was handed to the recipient's client as well. Its sender is not told: that is for the recipient's
    /// client to say.</summary>
    public bool IsLive
    {
        get
        {
            lock (_turn)
                return _isLive;
        }
    }

    public void Queued(CopiesKept kept) => Tell(SendState.Queued, kept);

    public void Kept(CopiesKept kept)
    {
        Tell(SendState.Kept, kept);
        sender.Recent.Add(this);
    }

    /// <summary>Who can be asked for it now: fewer than before when a node is gone, more when it is back.</summary>
    public void Recount(CopiesKept now)
    {
        lock (_turn)
        {
            if (now.IsOlderThan(_copies))
                return;
            _copies = now;
            if (_told == SendState.Kept)
                Tell();
        }
    }

    /// <summary>It will not be added again from here.</summary>
    public void ForgetEnvelope()
    {
        lock (_turn)
            _envelope = default;
    }

    public void Refused(Refusal refusal)
    {
        lock (_turn)
        {
            _told = SendState.Refused;
            sender.Outgoing.Report(new SendReport(id, SendState.Refused, [], copies, !_wasAnswered, refusal));
            _wasAnswered = true;
        }
    }

    public void Delivered()
    {
        lock (_turn)
            _isLive = true;
    }

    private void Keep(CopiesKept kept)
    {
        lock (_turn)
        {
            if (kept.IsOlderThan(_copies))
                return;
            if (kept.IsNewsAfter(_copies))
                _copies = kept;
            if (kept.Members.Count == kept.Of)
                _envelope = default;
            if (_told is SendState.Kept or SendState.Queued)
                Tell();
        }
    }

    private void Tell(SendState state, CopiesKept kept)
    {
        lock (_turn)
        {
            if (kept.IsNewsAfter(_copies))
                _copies = kept;
            if (_told == SendState.Kept)
                state = SendState.Kept;
            var isNew = _told != state;
            _told = state;
            if (isNew)
                _toldCopies = null;
            Tell();
        }
    }

    private void Tell()
    {
        if (_toldCopies?.Members.SequenceEqual(_copies.Members) == true)
            return;
        _toldCopies = _copies;
        var names = new string[_copies.Members.Count];
        for (var i = 0; i < names.Length; i++)
            names[i] = _copies.Members[i].Name;
        sender.Outgoing.Report(new SendReport(id, _told!.Value, names, _copies.Of, !_wasAnswered));
        _wasAnswered = true;
    }
}
