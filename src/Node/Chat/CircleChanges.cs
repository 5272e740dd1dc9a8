namespace ChordChat.Node.Chat;

/// <summary>Changes of one session's circle, one at a time.</summary>
internal sealed class CircleChanges(Circles circles)
{
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
            var outcome = session.UnprovenEntry.IsEmpty
                ? await circles.ChangeAsync(session.User, block, unblock, wroteTo, session.Lifetime)
                : new CircleOutcome.Unavailable();
            session.Outgoing.Tell(outcome);
        }
        catch (OperationCanceledException)
        {
            // The session is over.
        }
        catch (InvalidDataException)
        {
            session.Outgoing.Tell(new CircleOutcome.Unavailable());
        }
    }
}
