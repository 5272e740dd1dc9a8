using System.Collections.Concurrent;
using ChordChat.Core.Chat;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Chat;

/// <summary>Which nodes have shown that they speak for which users.</summary>
/// <remarks>docs/protocol.md#session-proofs. Safe for threads.</remarks>
internal sealed class ShownSessions(
    AccountGlimpses accounts, KeyLogReader keyLogs, ClientProofs proofs, ChatClock clock)
{
    private const int KnownMax = 100_000;
    private const int JudgedAtOnceMax = 1_024;

    /// <summary>How long a node's word is taken after its proof was checked against a majority's account.</summary>
    private static readonly TimeSpan SureFor = TimeSpan.FromMinutes(5);

    /// <summary>The same when no majority of the account's copies answers.</summary>
    private static readonly TimeSpan UnsureFor = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(NodeId Node, string User), Shown> _shown = new();
    private int _judging;

    private sealed record Shown(uint Epoch, SessionRight Right, long Until);

    /// <summary>Whether a node that does not keep what is asked for may ask for it.</summary>
    public bool Allow(NodeId node, ReplicaRequest request) =>
        SessionNeed.Of(request) is not { } need
        || (Allow(node, need) && (request is not ReplicaRequest.Add { From.Length: > 0 } add
            || proofs.IsBetween(add.Content.Span, add.From, SessionNeed.OwnerOf(add.Set)!)));

    /// <summary>The same for mail that goes straight to a session.</summary>
    public bool Allow(NodeId node, LiveMessage message) =>
        Allow(node, new SessionNeed(message.From, SessionRight.Send))
        && proofs.IsBetween(message.Envelope.Span, message.From, message.User);

    public bool Allow(NodeId node, SessionNeed need) =>
        _shown.TryGetValue((node, need.User), out var shown) && shown.Right >= need.Right && shown.Until > clock.Steady;

    /// <summary>Takes note of a proof.</summary>
    /// <param name="node">Who shows it: its id stands in the user's signature.</param>
    /// <returns>Whether it is good for anything.</returns>
    public async Task<bool> ShowAsync(NodeId node, KeptHello shown)
    {
        var hello = shown.Hello;
        if (!UserName.IsValid(hello.User) || hello.Epoch == 0)
            return false;
        try
        {
            if (Interlocked.Increment(ref _judging) > JudgedAtOnceMax)
                return false;
            var (right, isSure) = await JudgeAsync(node, shown);
            return right > SessionRight.None && Keep((node, hello.User), hello.Epoch, right, isSure);
        }
        catch (InvalidDataException)
        {
            return false; // A damaged record proves nothing.
        }
        finally
        {
            Interlocked.Decrement(ref _judging);
        }
    }

    private bool Keep((NodeId Node, string User) key, uint epoch, SessionRight right, bool isSure)
    {
        if (_shown.Count >= KnownMax)
            _shown.Clear(); // All show again.
        if (!isSure && _shown.TryGetValue(key, out var known) && known.Epoch == epoch && known.Right > right)
            right = known.Right; // It was sure before; that nobody answers now takes nothing away.
        var until = clock.Steady + (long)(isSure ? SureFor : UnsureFor).TotalMilliseconds;
        _shown[key] = new Shown(epoch, right, until);
        return true;
    }

    private async Task<(SessionRight Right, bool IsSure)> JudgeAsync(NodeId node, KeptHello shown)
    {
        var (hello, nonce) = (shown.Hello, shown.NodeNonce);
        switch (await accounts.GlimpseAsync(hello.User, CancellationToken.None))
        {
            case AccountGlimpse.Agreed(var account) when hello.Epoch == account.Head.Epoch:
                return (If(IsSigned(account.Head.Entry), SessionRight.Change), true);
            case AccountGlimpse.Agreed(var account) when hello.Epoch < account.Head.Epoch:
                // A device that was replaced: what it sent before that is still under way.
                var old = await keyLogs.ReadOldAsync(hello.User, hello.Epoch - 1, CancellationToken.None);
                return (If(IsSigned(old), SessionRight.Send), true);
            case AccountGlimpse.Unproven(var account, _, _) when hello.Epoch == account.Head.Epoch:
                return (If(IsSigned(account.Head.Entry), SessionRight.Read), false);
            case AccountGlimpse.Unproven or AccountGlimpse.Unavailable:
                return (SessionRight.Send, false); // A cut between the two tiles is to lose no mail.
            default:
                return (SessionRight.None, true);
        }

        bool IsSigned(ReadOnlyMemory<byte> entry) => proofs.IsSignedBy(entry, hello, nonce.Span, node);
    }

    private static SessionRight If(bool isGood, SessionRight right) => isGood ? right : SessionRight.None;
}
