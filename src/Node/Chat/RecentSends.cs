namespace ChordChat.Node.Chat;

/// <summary>The newest kept messages of one session, whose copies are watched; docs/protocol.md#receipt.</summary>
internal sealed class RecentSends
{
    public const int CountMax = 64;

    /// <summary>Of messages that are not on every member yet; the older ones are not added again from here.</summary>
    public const int BytesMax = 256 * 1024;

    private readonly Lock _turn = new();
    private Queue<RecentSend>? _sends;

    public void Add(Submission submission)
    {
        lock (_turn)
        {
            (_sends ??= new()).Enqueue(new(submission));
            if (_sends.Count > CountMax)
                _sends.Dequeue().Submission.ForgetEnvelope();
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

/// <summary>A kept message, and what its watcher knows. Only the watcher touches the rest.</summary>
internal sealed class RecentSend(Submission submission)
{
    public Submission Submission => submission;

    /// <summary>The epoch in which it was kept, as first seen; 0 before.</summary>
    public ulong KeptIn { get; set; }

    /// <summary>The members that were told to keep it then.</summary>
    public IReadOnlyList<Core.Ring.Peer> KeptBy { get; set; } = [];

    /// <summary>Still being added to the members that miss it.</summary>
    public Task Adding { get; set; } = Task.CompletedTask;
}
