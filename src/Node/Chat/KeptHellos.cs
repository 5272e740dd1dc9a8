using System.Collections.Concurrent;
using ChordChat.Crypto.Sessions;

namespace ChordChat.Node.Chat;

/// <summary>The newest hello of each user who was let in here: this node's proof, towards others, that it speaks for
/// them.</summary>
/// <remarks>docs/protocol.md#session-proofs. It outlives the session: mail that waits for a majority is handed in
/// later. Safe for threads.</remarks>
internal sealed class KeptHellos(SessionTable sessions)
{
    private const int KeptMax = 100_000;

    private readonly ConcurrentDictionary<string, KeptHello> _kept = new();

    /// <summary>Keeps a hello in place of the one before; but one that no majority vouches for not in place of one of a
    /// newer device.</summary>
    /// <param name="next">Checked, and for a session.</param>
    /// <param name="isAgreed">A majority says that it is of the user's newest device.</param>
    public void Keep(KeptHello next, bool isAgreed)
    {
        if (_kept.Count >= KeptMax)
            foreach (var user in _kept.Keys.Where(user => sessions.Find(user) is null))
                _kept.TryRemove(user, out _); // Their mail that still waits here goes on when they come back.
        _kept.AddOrUpdate(
            next.Hello.User, next, (_, kept) => isAgreed || kept.Hello.Epoch <= next.Hello.Epoch ? next : kept);
    }

    public KeptHello? Find(string user) => _kept.GetValueOrDefault(user);
}

/// <param name="NodeNonce">32 bytes of the challenge that it answers.</param>
internal sealed record KeptHello(SessionHello Hello, ReadOnlyMemory<byte> NodeNonce)
{
    /// <summary>docs/e2e.md, Session: of two hellos of one device.</summary>
    public bool IsLaterThan(KeptHello other) =>
        HelloNonce.IsLater(Hello.ClientNonce.Span, other.Hello.ClientNonce.Span);
}
