namespace ChordChat.Sdk.Sessions;

/// <summary>Finds out that another program has sessions with the keys of this device: a copy of the profile.</summary>
/// <remarks>docs/e2e.md, Session. Each of the two ends the other's sessions, so only one of them counts to the end: the
/// one that does stops, and the other's session stands. Not safe for threads.</remarks>
/// <param name="nodeCount">How many nodes are known; while it is more than one, one node's word is not enough.</param>
internal sealed class CopyWatch(Func<int> nodeCount, TimeProvider time)
{
    /// <summary>Sessions in a row that a newer one of the same device has ended.</summary>
    public const int EndingsMax = 3;

    /// <summary>Endings that lie further apart are not in a row.</summary>
    public static readonly TimeSpan RowMax = TimeSpan.FromMinutes(1);

    /// <summary>How long after a client went away a node may still let it in. That session is nobody's, and ends the
    /// one that the client has got elsewhere.</summary>
    public static readonly TimeSpan LateMax = TimeSpan.FromSeconds(15);

    private readonly HashSet<string> _nodes = [];
    private int _count;
    private long? _lastAt;
    private long? _leftAt;

    /// <summary>A node was asked for a session and did not answer in time.</summary>
    public void Left() => _leftAt = time.GetTimestamp();

    /// <summary>A node says that a newer session of this device has ended this one.</summary>
    /// <param name="node">Its id as its certificate proves it: it can call itself as it likes.</param>
    /// <returns>Whether a copy of the profile must be at work.</returns>
    public bool Ended(string node)
    {
        if (IsWithin(LateMax, _leftAt))
            return false;
        if (!IsWithin(RowMax, _lastAt))
            Forget();
        _lastAt = time.GetTimestamp();
        _nodes.Add(node);
        return ++_count >= EndingsMax && (_nodes.Count > 1 || nodeCount() <= 1);
    }

    /// <summary>This is a new device.</summary>
    public void Forget()
    {
        _nodes.Clear();
        _count = 0;
    }

    private bool IsWithin(TimeSpan span, long? then) => then is { } at && time.GetElapsedTime(at) < span;
}
