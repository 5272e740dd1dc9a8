using ChordChat.Sdk.Nodes;
using KeyLog = ChordChat.Crypto.KeyLogs.KeyLog;

namespace ChordChat.Sdk.Accounts;

/// <summary>Has the key log that one node shows compared with what another one shows, before anything is signed on top
/// of it. The first one has no say in this.</summary>
/// <remarks>docs/e2e.md, New device.</remarks>
internal sealed class NewestLog(NodeLinks links, LoginQuestions login, string user)
{
    private const int OthersMax = 3;

    private static readonly TimeSpan SecondTry = TimeSpan.FromMilliseconds(300);

    /// <param name="passedOver">Ids, in hex, of nodes whose word is known already.</param>
    /// <returns>A longer log on top of this one, if there is one.</returns>
    /// <exception cref="UntrueException">There is another log, and nobody else shows this one.</exception>
    /// <exception cref="ChordChatException">Others can be reached, and none of them shows a log.</exception>
    public async Task<KeyLog?> FindLongerAsync(
        Granted granted, IEnumerable<string> passedOver, CancellationToken cancellation)
    {
        var asked = new HashSet<string>(passedOver) { granted.NodeId };
        var (head, hasOlder, hasOther) = (granted.Log.Head.Hash, false, false);
        ChordChatException? trouble = null;
        await foreach (var other in links.OthersAsync(asked, OthersMax, cancellation))
        {
            var (shown, why) = await AskAsync(other, cancellation);
            if (shown?.Head.Hash == head)
                return null;
            if (shown?.Find(head) is not null)
                return shown;
            hasOlder |= shown is not null && granted.Log.Find(shown.Head.Hash) is not null;
            hasOther |= shown is not null && granted.Log.Find(shown.Head.Hash) is null;
            trouble ??= why;
        }

        if (hasOther)
            throw new UntrueException($"shows another key log of {user} than others");
        if (trouble is null || hasOlder)
            return null;
        throw trouble.Code is "throttled" or "session_live"
            ? trouble
            : Failures.Unavailable($"login on a new device needs another node that shows {user}'s keys", trouble);
    }

    /// <summary>Once more if it cannot answer now: a machine under load may be too slow once.</summary>
    private async Task<(KeyLog? Log, ChordChatException? Why)> AskAsync(
        NodeLink other, CancellationToken cancellation)
    {
        var (log, why) = await AskOnceAsync(other, cancellation);
        if (why?.Code != "unavailable")
            return (log, why);
        await Task.Delay(SecondTry, cancellation);
        return await AskOnceAsync(other, cancellation);
    }

    private async Task<(KeyLog? Log, ChordChatException? Why)> AskOnceAsync(
        NodeLink other, CancellationToken cancellation)
    {
        try
        {
            var granted = await login.AskAsync(other, _ => { }, cancellation);
            granted.Ring.Identity.Dispose();
            return (granted.Log, null);
        }
        catch (Exception cause) when (cause is not OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return (null, cause as ChordChatException
                ?? Failures.Unexpected(other.Cluster.NodeName, cause));
        }
    }
}
