using System.Collections.Concurrent;

namespace ChordChat.Node.Chat;

/// <summary>The sessions that are connected to this node: one for a user.</summary>
internal sealed class SessionTable : IPresentUsers
{
    private readonly ConcurrentDictionary<string, LiveSession> _sessions = new();

    /// <summary>Whether this node takes no sessions any more: clients go to another one.</summary>
    public bool IsClosed { get; private set; }

    public void CloseDoor() => IsClosed = true;

    public int Count => _sessions.Count;

    public IEnumerable<LiveSession> All => _sessions.Values;

    public IReadOnlyList<string> Names => [.. _sessions.Keys.Order(StringComparer.Ordinal)];

    public LiveSession? Find(string user) => _sessions.GetValueOrDefault(user);

    /// <summary>Adds a session.</summary>
    /// <returns>The user's older session at this node, which is over now; or <paramref name="session"/> itself when a
    /// newer one is here already.</returns>
    public LiveSession? Add(LiveSession session)
    {
        while (true)
        {
            if (_sessions.TryAdd(session.User, session))
                return null;
            if (!_sessions.TryGetValue(session.User, out var other))
                continue;
            if (other.Number > session.Number)
                return session;
            if (_sessions.TryUpdate(session.User, session, other))
                return other;
        }
    }

    public void Remove(LiveSession session) => _sessions.TryRemove(new(session.User, session));
}
