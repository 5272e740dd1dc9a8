using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>The newest kept messages of one session, whose copies are watched; docs/protocol.md#receipt.</summary>
internal sealed class RecentSends
{
    public const int CountMax = 64;

    /// <summary>Of messages that are not on every member yet; the older ones are not added again from here.</summary>
    public const int BytesMax = 256 * 1024;

    private readonly Lock _turn = new();
    private Queue<RecentSend>? _sends;
    private long _bytesAtMost;

    public void Add(Submission submission)
    {
        lock (_turn)
        {
            (_sends ??= new()).Enqueue(new(submission));
            _bytesAtMost += submission.Bytes;
            if (_sends.Count > CountMax)
            {
                var oldest = _sends.Dequeue().Submission;
                oldest.ForgetEnvelope();
                _bytesAtMost -= oldest.Bytes;
            }

            if (_bytesAtMost <= BytesMax)
                return; // For each message that is kept: no walk through all of them, unless they are large.
            var bytes = 0;
            foreach (var send in _sends.Reverse())
                if (send.Submission.Envelope.Length is > 0 and var length && (bytes += length) > BytesMax)
                    send.Submission.ForgetEnvelope();
        }
    }

    public IReadOnlyList<RecentSend> All
    {
        get
        {
            lock (_turn)
                return _sends is null ? [] : [.. _sends];
        }
    }
}

/// <summary>A kept message, and when its copies are to be asked for. Only the watcher touches it.</summary>
internal sealed class RecentSend(Submission submission)
{
    private const int VainMax = 4;

    private TileEpoch _askedAt;
    private int _vain;
    private int _pause;

    public Submission Submission => submission;

    /// <summary>Still being added to the members that miss it.</summary>
    public Task Adding { get; set; } = Task.CompletedTask;

    /// <summary>Whether its sender was told other names than those of the members that can be reached now. Where asking
    /// changes nothing, it is due ever more rarely, up to each 16th time.</summary>
    /// <param name="isOther">Other nodes can be reached than the last time.</param>
    public bool IsDue(SetPlace place, IReadOnlyList<Peer> reachable, bool isOther)
    {
        if (isOther || _askedAt != place.At)
            (_askedAt, _vain, _pause) = (place.At, 0, 0);
        if (isOther)
            return true;
        var told = submission.Copies;
        return (told.Generation != place.At.Generation
                || !place.Members.Where(reachable.Contains).ToHashSet().SetEquals(told.Members))
            && --_pause < 0;
    }

    public void Recount(CopiesKept now)
    {
        var told = submission.Copies;
        var isNews = now.Generation != told.Generation || !now.Members.SequenceEqual(told.Members);
        _vain = isNews ? 0 : Math.Min(_vain + 1, VainMax);
        _pause = (1 << _vain) - 1;
        submission.Recount(now);
    }
}
