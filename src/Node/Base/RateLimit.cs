namespace ChordChat.Node.Base;

/// <summary>So many a second and no more; what is over is dropped.</summary>
internal sealed class RateLimit(int perSecond, TimeProvider time)
{
    private long _second;
    private int _used;

    public bool Allows()
    {
        var second = time.GetUtcNow().ToUnixTimeSeconds();
        if (second != _second)
            (_second, _used) = (second, 0);
        return ++_used <= perSecond;
    }
}
