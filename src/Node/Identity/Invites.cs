using System.Collections.Concurrent;

namespace ChordChat.Node.Identity;

/// <summary>Sealed identities that wait at this node for who has the token: handed out once, forgotten when they expire
/// or the node stops.</summary>
internal sealed class Invites(TimeProvider time)
{
    public const int WaitingMax = 100;
    public const int BundleBytesMax = 256 << 10;
    public static readonly TimeSpan LifeMax = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<string, Invite> _waiting = new();

    /// <summary>Keeps a bundle for its token's holder.</summary>
    /// <returns>False when too many wait already or it would wait too long.</returns>
    public bool Add(string id, byte[] bundle, DateTimeOffset expires)
    {
        var now = time.GetUtcNow();
        foreach (var (old, invite) in _waiting)
            if (invite.Expires <= now)
                _waiting.TryRemove(old, out _);
        return _waiting.Count < WaitingMax && expires <= now + LifeMax && _waiting.TryAdd(id, new(bundle, expires));
    }

    /// <summary>Gives the bundle out and forgets it, so that no second caller gets it.</summary>
    public byte[]? Take(string id) =>
        _waiting.TryRemove(id, out var invite) && invite.Expires > time.GetUtcNow() ? invite.Bundle : null;

    private sealed record Invite(byte[] Bundle, DateTimeOffset Expires);
}
