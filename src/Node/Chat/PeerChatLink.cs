using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Node.Tiles;
using ChordChat.Wire;

namespace ChordChat.Node.Chat;

/// <summary>The chat's questions to other nodes, over the links between nodes.</summary>
internal sealed class PeerChatLink(PeerLinks links, SessionShowing showing, RingDriver ring) : IPeerChat
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private KnownPeers? _known;

    public IReadOnlyList<Peer> Peers
    {
        get
        {
            var members = ring.Now.Members;
            var known = Volatile.Read(ref _known);
            if (known is null || !ReferenceEquals(known.Of, members))
                Volatile.Write(ref _known, known = new(members, [members.Own.Peer, .. members.Live]));
            return known.Peers;
        }
    }

    public async Task<IReadOnlyList<LeaseAnswer>?> RenewAsync(
        Peer peer, IReadOnlyList<LeaseRenewal> renewals, CancellationToken cancellation)
    {
        if (await RenewOnceAsync(peer, renewals, cancellation) is not { } answers)
            return null;
        var unproven = Enumerable.Range(0, answers.Count).Where(i => answers[i].IsUnproven).ToList();
        if (unproven.Count == 0)
            return answers;
        var rights = await Task.WhenAll(unproven.Select(i => showing.ShowAsync(peer.Node, renewals[i].Lease.User)));
        var shown = unproven.Where((_, n) => rights[n] >= SessionRight.Read).ToList();
        var again = shown.Count == 0
            ? null
            : await RenewOnceAsync(peer, [.. shown.Select(i => renewals[i])], cancellation);
        foreach (var (i, answer) in shown.Zip(again ?? []))
            answers[i] = answer;
        return answers;
    }

    private async Task<List<LeaseAnswer>?> RenewOnceAsync(
        Peer peer, IReadOnlyList<LeaseRenewal> renewals, CancellationToken cancellation)
    {
        var answers = new List<LeaseAnswer>(renewals.Count);
        foreach (var part in renewals.Chunk(PeerChatMap.UsersMax))
        {
            var call = new RenewLeasesCall
            {
                Renewals = { part.Select(one => new LeaseRenewalCall { Lease = one.Lease.ToWire(), Ends = one.Ends }) },
            };
            var answer = await CallAsync(peer, new Call { RenewLeases = call }, cancellation);
            if (Read(answer?.RenewLeases, renewed => renewed.ToCore(part.Length)) is not { } some)
                return null;
            answers.AddRange(some);
        }

        return answers;
    }

    public async Task<LeaseFound?> FindLeaseAsync(Peer peer, string user, CancellationToken cancellation)
    {
        var call = new Call { FindLease = new FindLeaseCall { User = user } };
        var answer = await CallAsync(peer, call, cancellation);
        return Read(answer?.FindLease, found => found.ToCore());
    }

    public async Task<HelloFound?> FindHelloAsync(Peer peer, string user, CancellationToken cancellation)
    {
        var call = new Call { FindHello = new FindHelloCall { User = user } };
        var answer = await CallAsync(peer, call, cancellation);
        return Read(answer?.FindHello, found => found.ToCore());
    }

    public Task<DeliverOutcome> DeliverAsync(Peer node, LiveMessage message, CancellationToken cancellation)
    {
        var ended = new TaskCompletionSource<DeliverOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        links.Send(node.Node, new Call { Deliver = message.ToWire() }, answer =>
        {
            if (answer?.Deliver is { Result: DeliverAnswer.Types.Result.Unproven })
                showing.Show(node.Node, message.From, right =>
                {
                    if (right >= SessionRight.Send && !ended.Task.IsCompleted)
                        links.Send(node.Node, new Call { Deliver = message.ToWire() }, End);
                    else
                        End(null);
                });
            else
                End(answer);
        });
        return OrUnreachableAsync(ended.Task, cancellation);

        void End(Answer? answer) => ended.TrySetResult(answer?.Deliver?.ToCore() ?? DeliverOutcome.Unreachable);
    }

    public async Task<bool> EndSessionAsync(Peer node, SessionEnding ending, CancellationToken cancellation)
    {
        var call = new EndSessionCall { User = ending.User, Session = ending.Session, Entry = ending.Entry.ToWire() };
        return (await CallAsync(node, new Call { EndSession = call }, cancellation))?.EndSession is not null;
    }

    public async Task<TimeSpan?> CountGuessAsync(Peer peer, Guess guess, CancellationToken cancellation)
    {
        var call = new CountGuessCall
        {
            User = guess.User,
            Place = guess.Place,
            Succeeded = guess.Step is GuessStep.Succeeded,
            Forgiven = guess.Step is GuessStep.Forgiven,
        };
        var answer = await CallAsync(peer, new Call { CountGuess = call }, cancellation);
        return answer?.CountGuess?.ToCore();
    }

    public async Task<IReadOnlyList<Lease>?> ListSessionsAsync(Peer peer, int max, CancellationToken cancellation)
    {
        var call = new Call { ListSessions = new ListSessionsCall { Limit = (uint)max } };
        var answer = await CallAsync(peer, call, cancellation);
        return Read(answer?.ListSessions, listed => listed.ToCore());
    }

    /// <summary>An answer that makes no sense is none.</summary>
    private static T? Read<TAnswer, T>(TAnswer? answer, Func<TAnswer, T> read)
        where TAnswer : class
        where T : class
    {
        try
        {
            return answer is null ? null : read(answer);
        }
        catch (MalformedException)
        {
            return null;
        }
    }

    private static async Task<DeliverOutcome> OrUnreachableAsync(
        Task<DeliverOutcome> delivery, CancellationToken cancellation)
    {
        try
        {
            return await delivery.WaitAsync(Patience, cancellation);
        }
        catch (TimeoutException)
        {
            return DeliverOutcome.Unreachable;
        }
    }

    private Task<Answer?> CallAsync(Peer peer, Call call, CancellationToken cancellation) =>
        links.CallAsync(peer.Node, call, Patience, cancellation);

    private sealed record KnownPeers(Membership Of, Peer[] Peers);
}
