using ChordChat.Core.Replication;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>One message on its way, and what its sender has been told of it. Copies and the live delivery come in any
/// order and from any thread; each thing worth knowing is told once.</summary>
internal sealed class Submission(LiveSession sender, string to, MessageId id, ReadOnlyMemory<byte> envelope, int copies)
{
    private readonly Lock _turn = new();
    private SendState? _told;
    private bool _wasAnswered;
    private bool _isLive;
    private bool _toldLive;
    private int _toldCount;
    private CopiesKept _copies = new([], copies);

    public string To => to;
    public MessageId Id => id;
    public ReadOnlyMemory<byte> Envelope => envelope;

    /// <summary>Made once, because it is passed on with each try.</summary>
    public Action<CopiesKept> Progress => Keep;

    public bool IsLive
    {
        get
        {
            lock (_turn)
                return _isLive;
        }
    }

    public void Queued(CopiesKept kept) => Tell(SendState.Queued, kept);

    public void Kept(CopiesKept kept) => Tell(SendState.Kept, kept);

    public void Refused(Refusal refusal)
    {
        lock (_turn)
        {
            _told = SendState.Refused;
            sender.Outgoing.Report(new SendReport(id, SendState.Refused, [], copies, false, !_wasAnswered, refusal));
            _wasAnswered = true;
        }
    }

    public void Delivered()
    {
        lock (_turn)
        {
            _isLive = true;
            if (_told is SendState.Kept or SendState.Queued)
                Tell();
        }
    }

    private void Keep(CopiesKept kept)
    {
        lock (_turn)
        {
            if (kept.Members.Count > _copies.Members.Count)
                _copies = kept;
            if (_told == SendState.Kept)
                Tell();
        }
    }

    private void Tell(SendState state, CopiesKept kept)
    {
        lock (_turn)
        {
            if (kept.Members.Count > _copies.Members.Count)
                _copies = kept;
            if (_told == SendState.Kept)
                state = SendState.Kept;
            var isNew = _told != state;
            _told = state;
            if (isNew)
                _toldCount = -1;
            Tell();
        }
    }

    private void Tell()
    {
        if (_toldCount == _copies.Members.Count && _toldLive == _isLive)
            return;
        (_toldCount, _toldLive) = (_copies.Members.Count, _isLive);
        var names = new string[_copies.Members.Count];
        for (var i = 0; i < names.Length; i++)
            names[i] = _copies.Members[i].Name;
        sender.Outgoing.Report(new SendReport(id, _told!.Value, names, _copies.Of, _isLive, !_wasAnswered));
        _wasAnswered = true;
    }
}
