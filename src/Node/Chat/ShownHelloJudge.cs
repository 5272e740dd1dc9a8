using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Says what a hello that another node shows is good for, by the user's account as its copies have it now.
/// </summary>
/// <remarks>docs/protocol.md#session-proofs. Safe for threads.</remarks>
internal sealed class ShownHelloJudge(
    AccountGlimpses accounts, KeyLogReader keyLogs, ClientProofs proofs, ChatClock clock)
{
    /// <summary>Hellos of one node that are judged at once.</summary>
    private const int AtOnceMax = 16;

    /// <summary>Hellos of one node that wait: it may have started anew with all its users.</summary>
    private const int WaitingMax = 1_024;

    /// <summary>Nodes wait no longer for an answer than twice this.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>For the entry of an older device, after that: it is in the account's tile.</summary>
    private static readonly TimeSpan EntryPatience = TimeSpan.FromMilliseconds(500);

    private readonly FairTurns<NodeId> _turns = new(AtOnceMax, int.MaxValue, WaitingMax);

    /// <param name="isAgain">It was shown before, so it always waits: the right that it gave lasts until then.</param>
    /// <returns>Null when too many of this node wait.</returns>
    public async Task<HelloJudgement?> JudgeAsync(NodeId node, KeptHello shown, bool isAgain)
    {
        if (!UserName.IsValid(shown.Hello.User) || shown.Hello.Epoch == 0)
            return HelloJudgement.Worthless;
        using var turn = await _turns.TakeAsync(node, CancellationToken.None, waits: isAgain);
        if (turn is null)
            return null;
        try
        {
            using var patience = new CancellationTokenSource(Patience, clock.Time);
            switch (await accounts.GlimpseWithinAsync(shown.Hello.User, patience.Token))
            {
                case AccountGlimpse.Agreed(var account):
                    return await JudgeAsync(node, shown, account, isAgreed: true);
                case AccountGlimpse.Unproven unproven:
                    return await JudgeAsync(node, shown, unproven);
                case AccountGlimpse.Unavailable:
                    return HelloJudgement.OfNoCopy;
                default:
                    return HelloJudgement.Worthless;
            }
        }
        catch (InvalidDataException)
        {
            return HelloJudgement.Worthless; // A damaged record proves nothing.
        }
    }

    /// <summary>The newest copy counts. But it may be one that lies, and then one that knows the device is enough to
    /// hand in mail.</summary>
    private async Task<HelloJudgement> JudgeAsync(NodeId node, KeptHello shown, AccountGlimpse.Unproven unproven)
    {
        var newest = await JudgeAsync(node, shown, unproven.Account, isAgreed: false);
        return newest.Right == SessionRight.None && unproven.Others.Any(older => IsOfHead(node, shown, older))
            ? new(SessionRight.Send, IsSure: false)
            : newest;
    }

    private async Task<HelloJudgement> JudgeAsync(NodeId node, KeptHello shown, Account account, bool isAgreed)
    {
        var epoch = shown.Hello.Epoch;
        if (epoch > account.Head.Epoch)
            return new(SessionRight.None, IsSure: isAgreed); // Other copies may know of this device.
        if (epoch == account.Head.Epoch)
            return !IsOfHead(node, shown, account) ? new(SessionRight.None, IsSure: isAgreed) // One copy may lie.
                : new(isAgreed ? SessionRight.Change : SessionRight.Read, isAgreed);
        // A device that was replaced: what it handed in before that is still under way.
        using var patience = new CancellationTokenSource(EntryPatience, clock.Time);
        var entry = await keyLogs.ReadOldAsync(account, epoch - 1, patience.Token);
        return entry.IsEmpty ? HelloJudgement.OfNoCopy
            : new(proofs.IsSignedBy(entry, shown.Hello, shown.NodeNonce.Span, node)
                ? SessionRight.Send : SessionRight.None, isAgreed);
    }

    private bool IsOfHead(NodeId node, KeptHello shown, Account account) =>
        shown.Hello.Epoch == account.Head.Epoch
        && proofs.IsSignedBy(account.Head.Entry, shown.Hello, shown.NodeNonce.Span, node);
}

/// <param name="IsSure">A majority said so, or it is wrong whoever may say what.</param>
internal readonly record struct HelloJudgement(SessionRight Right, bool IsSure)
{
    public static HelloJudgement Worthless => new(SessionRight.None, IsSure: true);

    /// <summary>No copy of the account answers: a cut between two tiles is to hold up no mail.</summary>
    public static HelloJudgement OfNoCopy => new(SessionRight.Send, IsSure: false);
}
