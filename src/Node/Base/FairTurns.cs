namespace ChordChat.Node.Base;

/// <summary>Turns at something that costs: so many at once, in all and for one holder. The others wait in a line of
/// their holder, and the lines take turns. Safe for threads.</summary>
/// <remarks>docs/security.md, "Places of strangers".</remarks>
/// <param name="waitingMax">How many may wait in one line.</param>
/// <param name="rank">Ranks a holder whenever a turn is free: the lowest goes first. Without it, and among equals, the
/// line that has waited longest. Called inside the lock.</param>
internal sealed class FairTurns<T>(int perHolderMax, int max, int waitingMax, Func<T, int>? rank = null)
    where T : notnull
{
    private readonly Lock _turn = new();
    private readonly Dictionary<T, Line> _lines = [];
    private readonly LinkedList<Line> _waiting = [];
    private int _taken;

    /// <param name="waits">Also when too many wait already: something else bounds these.</param>
    /// <returns>To be disposed of at the end of the turn; null when too many of this holder wait already.</returns>
    public async ValueTask<Turn?> TakeAsync(T holder, CancellationToken cancellation, bool waits = false)
    {
        LinkedListNode<TaskCompletionSource> own;
        Line? line;
        lock (_turn)
        {
            if (!_lines.TryGetValue(holder, out line))
                _lines[holder] = line = new Line(holder);
            if (line.Waiting.Count == 0 && line.Taken < perHolderMax && _taken < max)
            {
                Give(line);
                return new Turn(this, line);
            }

            if (line.Waiting.Count >= waitingMax && !waits)
                return null;
            own = line.Waiting.AddLast(new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            if (line.Waiting.Count == 1)
                _waiting.AddLast(line);
        }

        await using var _ = cancellation.UnsafeRegister(_ => GiveUp(line, own, cancellation), null);
        await own.Value.Task;
        return new Turn(this, line);
    }

    private void Give(Line line)
    {
        line.Taken++;
        _taken++;
    }

    private void Return(Line line)
    {
        lock (_turn)
        {
            line.Taken--;
            _taken--;
            while (_taken < max && Next() is { } next)
            {
                var first = next.Waiting.First!.Value;
                next.Waiting.RemoveFirst();
                _waiting.Remove(next);
                if (next.Waiting.Count > 0)
                    _waiting.AddLast(next); // Behind all others.
                Give(next);
                first.SetResult();
            }

            Forget(line);
        }
    }

    private Line? Next()
    {
        var free = _waiting.Where(line => line.Taken < perHolderMax);
        return rank is null ? free.FirstOrDefault() : free.MinBy(line => rank(line.Holder));
    }

    private void GiveUp(Line line, LinkedListNode<TaskCompletionSource> own, CancellationToken cancellation)
    {
        lock (_turn)
        {
            if (own.List is null)
                return; // Its turn has come.
            line.Waiting.Remove(own);
            if (line.Waiting.Count == 0)
                _waiting.Remove(line);
            Forget(line);
        }

        own.Value.SetCanceled(cancellation);
    }

    private void Forget(Line line)
    {
        if (line.Taken == 0 && line.Waiting.Count == 0)
            _lines.Remove(line.Holder);
    }

    internal sealed class Turn(FairTurns<T> of, Line line) : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
                of.Return(line);
        }
    }

    internal sealed class Line(T holder)
    {
        public T Holder => holder;

        public int Taken { get; set; }

        public LinkedList<TaskCompletionSource> Waiting { get; } = new();
    }
}
