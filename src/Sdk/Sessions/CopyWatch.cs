namespace ChordChat.Sdk.Sessions;

/// <summary>Finds out that another program has sessions with the keys of this device: a copy of the profile.</summary>
/// <remarks>docs/e2e.md, Session. Each of the two ends the other's sessions, so only one of them counts to the end: the
/// one that does stops, and the other's session stands. Not safe for threads.</remarks>
internal sealed class CopyWatch(TimeProvider time)
{
    /// <summary>Sessions in a row that a newer one of the same device has ended.</summary>
    public const int EndingsMax = 3;

    /// <summary>Endings that lie further apart are not in a row.</summary>
    public static readonly TimeSpan RowMax = TimeSpan.FromMinutes(1);

    private int _count;
    private long? _lastAt;

    /// <summary>A session that stood has ended.</summary>
    /// <param name="isByCopy">There is a proof that a newer session of this device, which is not ours, has ended
    /// it.</param>
    /// <returns>Whether a copy of the profile must be at work.</returns>
    public bool Ended(bool isByCopy)
    {
        if (!isByCopy)
        {
            Forget();
            return false;
        }

        if (_lastAt is not { } last || time.GetElapsedTime(last) >= RowMax)
            _count = 0;
        _lastAt = time.GetTimestamp();
        return ++_count >= EndingsMax;
    }

    /// <summary>What was counted counts no more.</summary>
    public void Forget() => _count = 0;
}
