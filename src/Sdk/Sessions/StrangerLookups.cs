namespace ChordChat.Sdk.Sessions;

/// <summary>How often people who are not known here are looked up: a node that lies makes up as many as it likes, and
/// the questions that a user may ask of a node are needed for sending, too.</summary>
/// <remarks>docs/e2e.md, Receiving. Not safe for threads.</remarks>
internal sealed class StrangerLookups
{
    public const int AtOnce = 64;
    public const int PerSecond = 2;

    private double _left = AtOnce;
    private long? _at;

    /// <param name="nowMs">Of any clock that only goes forward.</param>
    public bool TryTake(long nowMs)
    {
        _left = Math.Min(AtOnce, _left + ((nowMs - (_at ?? nowMs)) * PerSecond / 1000.0));
        _at = nowMs;
        if (_left < 1)
            return false;
        _left--;
        return true;
    }
}
