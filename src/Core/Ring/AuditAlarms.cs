namespace ChordChat.Core.Ring;

/// <summary>The failed audits that a node has heard of, so that it passes each of them on once. One thread at a
/// time.</summary>
/// <remarks>docs/protocol.md, "Ring: audit". A ring in two circles has two origins, which fail at about the same time:
/// with only the last one remembered, both would be passed on for ever.</remarks>
public sealed class AuditAlarms
{
    private const int RememberedMax = 64;
    private readonly Queue<(NodeId Origin, ulong Number)> _heard = new(RememberedMax);

    /// <summary>Whether this is the first that is heard of it.</summary>
    /// <param name="number">Of the origin's token.</param>
    public bool IsNew(NodeId origin, ulong number)
    {
        if (_heard.Contains((origin, number)))
            return false;
        if (_heard.Count == RememberedMax)
            _heard.Dequeue();
        _heard.Enqueue((origin, number));
        return true;
    }
}
