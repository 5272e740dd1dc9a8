using ChordChat.Node.Base;

namespace ChordChat.Node.Chat;

/// <summary>How many lines sessions write into the log in a minute: somebody with an account can open and close them
/// as often as they like. What is left out is counted in the next line.</summary>
internal sealed class SessionLines(ChatClock clock)
{
    public const int PerMinuteMax = 600;

    private readonly LineBudget _budget = new(PerMinuteMax);

    /// <summary>Whether this event gets a line.</summary>
    /// <param name="unsaid">Events that got none since the last line.</param>
    public bool Allows(out long unsaid) => _budget.Allows(clock.Steady, out unsaid);
}
