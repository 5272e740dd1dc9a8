namespace ChordChat.Node.Chat;

/// <summary>Asks beside a session whether the recipient of a message exists, so that one whose account does not answer
/// delays nobody else's messages.</summary>
/// <remarks>One session's messages to one recipient stay in their order. Safe for threads; the lock is a leaf.
/// </remarks>
internal sealed class RecipientLookups(Accounts accounts)
{
    private readonly Lock _turn = new();
    private readonly Dictionary<(LiveSession Sender, string To), Queue<Action<bool>>> _asking = [];

    /// <summary>Calls <paramref name="then"/> with whether it is certain that nobody has this name: before this returns
    /// if that is known, else once it is.</summary>
    public void Ask(LiveSession sender, string to, Action<bool> then, CancellationToken cancellation)
    {
        Queue<Action<bool>> waiting;
        lock (_turn)
        {
            if (_asking.TryGetValue((sender, to), out var earlier))
            {
                earlier.Enqueue(then);
                return;
            }

            if (!accounts.IsKnown(to))
            {
                _asking[(sender, to)] = waiting = new();
                waiting.Enqueue(then);
            }
            else
                waiting = [];
        }

        if (waiting.Count == 0)
            then(false);
        else
            _ = AskAsync(sender, to, waiting, cancellation);
    }

    private async Task AskAsync(
        LiveSession sender, string to, Queue<Action<bool>> waiting, CancellationToken cancellation)
    {
        var isUnknown = false;
        try
        {
            isUnknown = await accounts.IsUnknownAsync(to, cancellation);
        }
        catch (OperationCanceledException)
        {
            lock (_turn)
                _asking.Remove((sender, to));
            return; // The session is over; its client hands in again elsewhere.
        }

        while (true)
        {
            Action<bool>? next;
            lock (_turn)
                if (!waiting.TryDequeue(out next))
                {
                    _asking.Remove((sender, to));
                    return;
                }

            next(isUnknown);
        }
    }
}
