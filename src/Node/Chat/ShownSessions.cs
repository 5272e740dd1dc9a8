using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Which nodes have shown that they speak for which users.</summary>
/// <remarks>docs/protocol.md#session-proofs. Safe for threads.</remarks>
internal sealed class ShownSessions(
    ShownHelloJudge judge, ClientProofs proofs, ChatClock clock, int keptMax = ShownSessions.KnownMax)
{
    private const int KnownMax = 100_000;

    /// <summary>How long a judgement counts before it is made anew, beside the calls that still rely on it.</summary>
    private static readonly TimeSpan SureFor = TimeSpan.FromMinutes(5);

    /// <summary>The same when no majority of the account's copies answered.</summary>
    private static readonly TimeSpan UnsureFor = TimeSpan.FromSeconds(30);

    /// <summary>A judgement that is older counts for nothing: the node shows the hello again.</summary>
    private static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(NodeId Node, string User), Shown> _shown = new();
    private readonly ConcurrentDictionary<string, uint> _newest = new();
    private readonly Lock _sweeping = new();
    private long _sweptAt = clock.Steady;

    /// <summary>How many proofs are remembered.</summary>
    public int KeptCount => _shown.Count;

    private sealed record Shown(KeptHello Proof, HelloJudgement Judgement, long At)
    {
        public SessionHello Hello => Proof.Hello;

        /// <summary>Whether it is being judged anew; 1 or 0.</summary>
        public int Judging;
    }

    /// <summary>Whether a node that does not keep what is asked for may ask for it.</summary>
    public bool Allow(NodeId node, ReplicaRequest request) => SessionNeed.Of(request) switch
    {
        null => true,
        { Right: SessionRight.Send } need when request is ReplicaRequest.Add add =>
            Allow(node, need) && proofs.IsMail(add.Content.Span, add.Id, need.User, SessionNeed.OwnerOf(add.Set)!),
        { } need => Allow(node, need),
    };

    /// <summary>The same for mail that goes straight to a session.</summary>
    public bool Allow(NodeId node, LiveMessage message) =>
        Allow(node, new SessionNeed(message.From, SessionRight.Send))
        && proofs.IsMail(message.Envelope.Span, message.Id, message.From, message.User);

    public bool Allow(NodeId node, SessionNeed need)
    {
        if (!_shown.TryGetValue((node, need.User), out var shown))
            return false;
        var age = TimeSpan.FromMilliseconds(clock.Steady - shown.At);
        if (age > KnownFor)
            return false;
        if (age > (shown.Judgement.IsSure ? SureFor : UnsureFor) && Interlocked.Exchange(ref shown.Judging, 1) == 0)
            _ = ShowAsync(node, shown.Proof, isAgain: true);
        return RightOf(shown) >= need.Right;
    }

    /// <summary>Takes note of a proof.</summary>
    /// <param name="node">Who shows it: its id stands in the user's signature.</param>
    /// <returns>What it is good for.</returns>
    public Task<SessionRight> ShowAsync(NodeId node, KeptHello proof) => ShowAsync(node, proof, isAgain: false);

    private async Task<SessionRight> ShowAsync(NodeId node, KeptHello proof, bool isAgain)
    {
        var hello = proof.Hello;
        var key = (node, hello.User);
        if (await judge.JudgeAsync(node, proof, isAgain) is not { } now)
            return SessionRight.None; // It may show it again; what it showed before is as it was.
        // That nobody can tell now takes nothing away from who was believed before.
        if (!now.IsSure && _shown.TryGetValue(key, out var known) && known.Hello.Epoch == hello.Epoch
            && known.Judgement.Right > now.Right)
        {
            if (now.Right == SessionRight.None && known.Proof != proof)
                return SessionRight.None; // What it showed before is as it was.
            now = now with { Right = known.Judgement.Right };
        }

        if (now.Right == SessionRight.None)
        {
            _shown.TryRemove(key, out _);
            return SessionRight.None;
        }

        MakeRoom();
        if (now is { IsSure: true, Right: > SessionRight.Send })
            _newest[hello.User] = hello.Epoch;
        var shown = _shown[key] = new Shown(proof, now, clock.Steady);
        return RightOf(shown);
    }

    /// <summary>A device that is known to be replaced has only its last mail to hand in.</summary>
    private SessionRight RightOf(Shown shown) =>
        _newest.TryGetValue(shown.Hello.User, out var newest) && shown.Hello.Epoch < newest
            ? SessionRight.Send
            : shown.Judgement.Right;

    /// <summary>What counts for nothing any more goes once a minute. Where that leaves no room, the node that has shown
    /// most loses the older half, and shows it again.</summary>
    private void MakeRoom()
    {
        lock (_sweeping)
        {
            var now = clock.Steady;
            if (_shown.Count < keptMax && now - _sweptAt < SweepEvery.TotalMilliseconds)
                return;
            _sweptAt = now;
            foreach (var pair in _shown)
                if (now - pair.Value.At > KnownFor.TotalMilliseconds)
                    _shown.TryRemove(pair);
            if (_newest.Count >= keptMax)
                _newest.Clear();
            if (_shown.Count < keptMax)
                return;
            foreach (var one in _shown.GroupBy(pair => pair.Key.Node).OrderByDescending(one => one.Count()).ToList())
            {
                if (_shown.Count <= keptMax * 0.9)
                    return;
                foreach (var pair in one.OrderBy(pair => pair.Value.At).Take((one.Count() + 1) / 2))
                    _shown.TryRemove(pair);
            }
        }
    }
}
