using System.Collections.Concurrent;

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
    /// <param name="hello">Checked, and for a session.</param>
    /// <param name="isAgreed">A majority says that it is of the user's newest device.</param>
    public void Keep(SessionHello hello, ReadOnlyMemory<byte> nodeNonce, bool isAgreed)
    {
        if (_kept.Count >= KeptMax)
            foreach (var user in _kept.Keys.Where(user => sessions.Find(user) is null))
                _kept.TryRemove(user, out _); // Their mail that still waits here goes on when they come back.
        var next = new KeptHello(hello, nodeNonce);
        _kept.AddOrUpdate(
            hello.User, next, (_, kept) => isAgreed || kept.Hello.Epoch <= hello.Epoch ? next : kept);
    }

    public KeptHello? Find(string user) => _kept.GetValueOrDefault(user);
}

/// <param name="NodeNonce">32 bytes of the challenge that it answers.</param>
internal sealed record KeptHello(SessionHello Hello, ReadOnlyMemory<byte> NodeNonce);
