using ChordChat.Core.Ring;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>Sends the token round the ring when it is this node's turn, passes on that of others, and looks for the
/// place anew when the ring is said to be broken, as Node/Ring/RingAuditor does.</summary>
internal sealed class AuditHost(SwarmNode node, RingHost ring)
{
    /// <summary>After a token that failed another one is sent, this many stabilize intervals later.</summary>
    private const int AgainAfter = 5;

    private readonly AuditAlarms _alarms = new();
    private int _faultsInRow;

    /// <summary>The number of the last token of this process.</summary>
    public ulong Number { get; private set; }

    /// <summary>The last of them that came to an end, and what was wrong.</summary>
    public (ulong Number, string? Fault) Last { get; private set; }

    private SwarmCluster Cluster => node.Cluster;

    public void Start(TimeSpan every) => Cluster.World.After(
        node.Number, Cluster.World.Random.Between(every * 0.75, every * 1.25), () =>
        {
            Send();
            Start(every);
        });

    public void Hear(object news)
    {
        switch (news)
        {
            case Ask.Token(var token):
                var step = RingAudit.Pass(ring.State, token);
                Follow(step is AuditStep.Forward on && Cluster.Plan.Mistake == SwarmMistake.TokenIsNotCounted
                    ? on with { Token = token } : step);
                break;
            case Ask.TokenEnded(var token, var fault) when token.Origin == node.Self:
                Ended(token, fault);
                break;
            case Ask.RingFailed(var origin, var number) when _alarms.IsNew(origin, number, Cluster.World.Now):
                foreach (var next in ring.State.Successors)
                    Tell(next, news);
                ring.Feed(new RingInput.AuditFailed());
                break;
        }
    }

    public void Send()
    {
        Number++;
        if (RingAudit.IsOrigin(ring.State))
            Follow(RingAudit.Start(ring.State, Number));
    }

    /// <summary>Tells everybody that the ring is broken.</summary>
    public void Alarm(ulong number)
    {
        var news = new Ask.RingFailed(node.Self.Node, number);
        foreach (var peer in ring.Cache.Members.Live)
            Tell(peer, news);
        Hear(news);
    }

    private void Follow(AuditStep step)
    {
        if (step is AuditStep.Forward(var to, var token))
            Tell(to, new Ask.Token(token));
        else if (step is AuditStep.Ended(var own, var fault) && own.Origin == node.Self)
            Ended(own, fault);
        else if (step is AuditStep.Ended(var lost, var why))
            Tell(lost.Origin, new Ask.TokenEnded(lost, why));
    }

    private void Ended(AuditToken token, string? fault)
    {
        if (token.Number != Number)
            return;
        Last = (token.Number, fault);
        _faultsInRow = fault is null ? 0 : _faultsInRow + 1;
        if (_faultsInRow == 1)
            Cluster.World.After(node.Number, ring.State.Options.StabilizeInterval * AgainAfter, Send);
        else if (_faultsInRow > 1)
        {
            _faultsInRow = 0;
            Alarm(token.Number);
        }
    }

    private void Tell(Peer to, object news)
    {
        if (Cluster.NumberOf(to.Address) is >= 0 and var number)
            node.Tell(number, news);
    }
}
