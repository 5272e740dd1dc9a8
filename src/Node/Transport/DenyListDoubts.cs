namespace ChordChat.Node.Transport;

/// <summary>Who is not asked for a deny list for a while: who claimed one in vain for a minute, who did not answer for
/// some seconds.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. Not safe for threads.</remarks>
internal sealed class DenyListDoubts(TimeProvider time)
{
    public static readonly TimeSpan Distrust = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, (long Since, TimeSpan For)> _doubted = [];

    /// <param name="own">The number in force here: what came from somebody else meanwhile is not asked for.</param>
    public bool IsWorthAsking(DenyListClaim claim, ulong own) =>
        (claim.Number == 0 || claim.Number > own)
        && !(_doubted.TryGetValue(claim.Address, out var doubt) && time.GetElapsedTime(doubt.Since) < doubt.For);

    /// <param name="own">The number in force here by now.</param>
    public void Judge(DenyListClaim claim, DenyListFetch fetched, ulong own)
    {
        if (fetched is DenyListFetch.List || (claim.Number > 0 && claim.Number <= own))
            return; // It had one, or this node has got that very list elsewhere while it was asked.
        if (_doubted.Count >= DenyListNews.WaitingMax)
            _doubted.Clear();
        _doubted[claim.Address] = (time.GetTimestamp(), fetched is DenyListFetch.NoAnswer ? Pause : Distrust);
    }
}

/// <summary>What came of asking for a deny list.</summary>
internal enum DenyListFetch
{
    /// <summary>One that the authority signed.</summary>
    List,
    Nothing,
    NoAnswer,
}
