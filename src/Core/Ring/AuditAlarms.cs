namespace ChordChat.Core.Ring;

/// <summary>The failed audits that a node has heard of, so that it acts on each of them once and passes it on once, and
/// on no more in a minute than an honest ring has. One thread at a time.</summary>
/// <remarks>docs/protocol.md, "Ring: audit". A ring in two circles has two origins, which fail at about the same time:
/// with only the last one remembered, both would be passed on for ever. Past the bound an alarm is dropped and not
/// remembered, so that those remembered are never pushed out by a flood that still goes round.</remarks>
public sealed class AuditAlarms
{
    /// <summary>Alarms that are acted on in any minute.</summary>
    public const int PerMinuteMax = 8;

    private const int RememberedMax = 64;
    private readonly Queue<(NodeId Origin, ulong Number, TimeSpan At)> _heard = new(RememberedMax);

    /// <summary>Whether this is the first that is heard of it, and there is room for it in this minute.</summary>
    /// <param name="number">Of the origin's token.</param>
    /// <param name="now">Of any clock that only goes forward.</param>
    public bool IsNew(NodeId origin, ulong number, TimeSpan now)
    {
        var minuteAgo = now - TimeSpan.FromMinutes(1);
        if (_heard.Any(heard => heard.Origin == origin && heard.Number == number)
            || _heard.Count(heard => heard.At > minuteAgo) >= PerMinuteMax)
            return false;
        if (_heard.Count == RememberedMax)
            _heard.Dequeue();
        _heard.Enqueue((origin, number, now));
        return true;
    }
}
