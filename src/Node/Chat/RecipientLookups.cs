namespace ChordChat.Node.Chat;

/// <summary>Asks beside a session whether the recipient of a message exists and takes its sender's mail, so that one
/// whose account does not answer delays nobody else's messages.</summary>
/// <remarks>One session's messages to one recipient stay in their order. Safe for threads; the lock is a leaf.
/// </remarks>
internal sealed class RecipientLookups(Accounts accounts, Circles circles)
{
    private readonly Lock _turn = new();
    private readonly Dictionary<(LiveSession Sender, string To), Queue<Action<Recipient>>> _asking = [];

    /// <summary>Calls <paramref name="then"/> with what is certain of the recipient: before this returns if that is
    /// known, else once it is.</summary>
    public void Ask(LiveSession sender, string to, Action<Recipient> then, CancellationToken cancellation)
    {
        Queue<Action<Recipient>> waiting;
        var isBlocked = circles.IsBlocked(to, sender.User);
        lock (_turn)
        {
            if (_asking.TryGetValue((sender, to), out var earlier))
            {
                earlier.Enqueue(then);
                return;
            }

            if (!accounts.IsKnown(to) || isBlocked is null)
            {
                _asking[(sender, to)] = waiting = new();
                waiting.Enqueue(then);
            }
            else
                waiting = [];
        }

        if (waiting.Count == 0)
            then(isBlocked == true ? Recipient.Refuses : Recipient.Takes);
        else
            _ = AskAsync(sender, to, waiting, cancellation);
    }

    private async Task AskAsync(
        LiveSession sender, string to, Queue<Action<Recipient>> waiting, CancellationToken cancellation)
    {
        Recipient recipient;
        try
        {
            var blocking = circles.IsBlockedAsync(to, sender.User, cancellation);
            recipient = await accounts.IsUnknownAsync(to, cancellation) ? Recipient.Unknown
                : await blocking ? Recipient.Refuses : Recipient.Takes;
        }
        catch (OperationCanceledException)
        {
            lock (_turn)
                _asking.Remove((sender, to));
            return; // The session is over; its client hands in again elsewhere.
        }
        catch (Exception)
        {
            recipient = Recipient.Takes; // A damaged record says nothing of them, and the message is not to hang.
        }

        while (true)
        {
            Action<Recipient>? next;
            lock (_turn)
                if (!waiting.TryDequeue(out next))
                {
                    _asking.Remove((sender, to));
                    return;
                }

            next(recipient);
        }
    }
}

/// <summary>What is certain of somebody to whom a message goes.</summary>
internal enum Recipient
{
    /// <summary>Nothing speaks against it.</summary>
    Takes,

    /// <summary>A majority agrees that nobody has this name.</summary>
    Unknown,

    /// <summary>They have blocked the sender.</summary>
    Refuses,
}
