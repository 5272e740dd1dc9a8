using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Hosting;

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
            return await JudgeAsync(node, shown, patience.Token);
        }
        catch (OperationCanceledException)
        {
            return HelloJudgement.OfNoCopy;
        }
        catch (InvalidDataException)
        {
            return HelloJudgement.Worthless; // A damaged record proves nothing.
        }
    }

    private async Task<HelloJudgement> JudgeAsync(NodeId node, KeptHello shown, CancellationToken patience)
    {
        var epoch = shown.Hello.Epoch;
        switch (await accounts.GlimpseAsync(shown.Hello.User, patience))
        {
            case AccountGlimpse.Agreed(var account) when epoch == account.Head.Epoch:
                return Sure(IsSigned(account.Head.Entry), SessionRight.Change);
            case AccountGlimpse.Unproven(var account, _, _) when epoch == account.Head.Epoch:
                return IsSigned(account.Head.Entry) ? new(SessionRight.Read, IsSure: false) : HelloJudgement.Worthless;
            case AccountGlimpse.Agreed(var account) when epoch < account.Head.Epoch:
            case AccountGlimpse.Unproven(var older, _, _) when epoch < older.Head.Epoch:
                // A device that was replaced: what it handed in before that is still under way.
                var entry = await keyLogs.ReadOldAsync(shown.Hello.User, epoch - 1, patience);
                return entry.IsEmpty ? HelloJudgement.OfNoCopy : Sure(IsSigned(entry), SessionRight.Send);
            case AccountGlimpse.Unproven:
                return new(SessionRight.None, IsSure: false); // Those copies do not know of this device yet.
            case AccountGlimpse.Unavailable:
                return HelloJudgement.OfNoCopy;
            default:
                return HelloJudgement.Worthless;
        }

        bool IsSigned(ReadOnlyMemory<byte> entry) =>
            proofs.IsSignedBy(entry, shown.Hello, shown.NodeNonce.Span, node);
    }

    private static HelloJudgement Sure(bool isGood, SessionRight right) =>
        new(isGood ? right : SessionRight.None, IsSure: true);
}

/// <param name="IsSure">A majority said so, or it is wrong whoever may say what.</param>
internal readonly record struct HelloJudgement(SessionRight Right, bool IsSure)
{
    public static HelloJudgement Worthless => new(SessionRight.None, IsSure: true);

    /// <summary>No copy of the account answers: a cut between two tiles is to hold up no mail.</summary>
    public static HelloJudgement OfNoCopy => new(SessionRight.Send, IsSure: false);
}
