namespace ChordChat.Node.Ring;

/// <summary>Who is not asked for a deny list for a while: who claimed one in vain for a minute, who did not answer for
/// some seconds.</summary>
/// <remarks>docs/protocol.md#ring-deny-list. Not safe for threads.</remarks>
internal sealed class DenyListDoubts(TimeProvider time)
{
    public static readonly TimeSpan Distrust = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private const int StrangersMax = 256;

    private readonly Dictionary<DenyListTeller, (long Since, TimeSpan For)> _doubted = [];

    /// <param name="own">The number in force here: what came from somebody else meanwhile is not asked for.</param>
    public bool IsWorthAsking(DenyListClaim claim, ulong own) =>
        (claim.Number == 0 || claim.Number > own)
        && !(_doubted.TryGetValue(claim.Teller, out var doubt) && time.GetElapsedTime(doubt.Since) < doubt.For);

    /// <summary>A claim is true if this node has a list of that number by now, whoever brought it. An older one is no
    /// answer: anybody has some.</summary>
    /// <param name="own">The number in force here by now.</param>
    public void Judge(DenyListClaim claim, DenyListFetch fetched, ulong own)
    {
        if (claim.Number == 0 ? fetched is DenyListFetch.List : claim.Number <= own)
            return;
        if (claim.Node is null && _doubted.Count(doubt => doubt.Key.Node is null) >= StrangersMax)
            foreach (var stranger in _doubted.Keys.Where(teller => teller.Node is null).ToArray())
                _doubted.Remove(stranger);
        _doubted[claim.Teller] = (time.GetTimestamp(), fetched is DenyListFetch.NoAnswer ? Pause : Distrust);
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
