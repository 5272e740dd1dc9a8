using ChordChat.Core.Chat;

namespace ChordChat.Node.Chat;

/// <summary>Changes of one session's circle, one at a time, and of one user's so many in a minute. Safe for
/// threads.</summary>
internal sealed class CircleChanges(Circles circles, ChatOptions options, ChatClock clock)
{
    private readonly Lock _turn = new();
    private readonly AddressThrottle _users = new(options.CircleChangesMax);

    /// <summary>Names in one change.</summary>
    public const int NamesMax = 256;

    /// <summary>Starts a change, and reports to the session what the circle is then. While one is under way another is
    /// not taken: clients wait for the answer.</summary>
    public void Begin(
        LiveSession session, IReadOnlyCollection<string> block, IReadOnlyCollection<string> unblock,
        IReadOnlyCollection<string> wroteTo)
    {
        if (session.ChangingCircle.IsCompleted)
            session.ChangingCircle = ChangeAsync(
                session, [.. block.Take(NamesMax)], [.. unblock.Take(NamesMax)], [.. wroteTo.Take(NamesMax)]);
    }

    private async Task ChangeAsync(
        LiveSession session, string[] block, string[] unblock, string[] wroteTo)
    {
        try
        {
            // A session that no majority has confirmed yet may be one of a device that was replaced.
            var outcome = session.UnprovenEntry.IsEmpty && IsInTime(session.User)
                ? await circles.ChangeAsync(session.User, block, unblock, wroteTo, session.Lifetime)
                : new CircleOutcome.Unavailable();
            session.Outgoing.Tell(outcome);
        }
        catch (OperationCanceledException)
        {
            // The session is over.
        }
    }

    private bool IsInTime(string user)
    {
        lock (_turn)
        {
            if (_users.Wait(user, clock.Steady) > TimeSpan.Zero)
                return false;
            _users.Failed(user, clock.Steady);
            return true;
        }
    }
}
