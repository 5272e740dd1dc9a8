namespace ChordChat.Sdk;

/// <summary>Tells a person once, for each node, of a failure that nobody foresaw and that the client gets over by
/// itself: it must not stay hidden for ever, nor fill a screen.</summary>
/// <remarks>docs/e2e.md, Session. Safe for threads.</remarks>
internal sealed class FailureReports(Action<ClientEvent> tell)
{
    /// <summary>A node can bring out many texts; more than these are only tried elsewhere.</summary>
    private const int Max = 64;

    private readonly Lock _turn = new();
    private readonly HashSet<string> _told = [];

    public void Add(ChordChatException failure)
    {
        lock (_turn)
            if (_told.Count >= Max || !_told.Add(failure.Message))
                return;
        tell(new ClientEvent.Notice($"{failure.Message}; {failure.Hint}"));
    }
}
