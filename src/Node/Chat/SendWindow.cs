namespace ChordChat.Node.Chat;

/// <summary>Bounds the sends of one session that have no answer yet: at the bound the node stops reading.</summary>
internal sealed class SendWindow(int max)
{
    private readonly Lock _turn = new();
    private int _openCount;
    private TaskCompletionSource? _room;

    public Task RoomAsync(CancellationToken cancellation)
    {
        lock (_turn)
        {
            if (_openCount < max)
                return Task.CompletedTask;
            _room ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellation);
        }
    }

    public void Opened()
    {
        lock (_turn)
            _openCount++;
    }

    /// <summary>Answers were written to the client.</summary>
    public void Closed(int count)
    {
        lock (_turn)
        {
            _openCount -= count;
            if (_openCount > max / 2 || _room is null)
                return;
            _room.SetResult();
            _room = null;
        }
    }
}
