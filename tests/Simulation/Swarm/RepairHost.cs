using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Repair;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>Compares a node's active copies with those of the other members, as Node/Tiles/RepairLoop
/// does.</summary>
internal sealed class RepairHost(SwarmNode node, TileHost tiles)
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    public void Start()
    {
        var every = node.Cluster.Plan.RepairEvery;
        node.Cluster.World.After(node.Number, node.Cluster.World.Random.Between(every * 0.75, every * 1.25), () =>
        {
            foreach (var header in tiles.Shown.Where(header => header.Phase == TilePhase.Active).ToArray())
                if (header.Configuration.Members.Length > 1)
                    Compare(header.Configuration);
            Start();
        });
    }

    private void Compare(TileConfiguration configuration)
    {
        var at = configuration.At;
        Send(node.Self.Node, new ReplicaRequest.Summarize(at), reply =>
        {
            if (reply is ReplicaReply.Summary { Root: null })
                Compare(configuration);
            else if (reply is ReplicaReply.Summary { Root: { } root })
                foreach (var member in configuration.Members.Where(member => member != node.Self.Node))
                    Send(member, new ReplicaRequest.Compare([new(at, root)]), answer =>
                    {
                        if (answer is ReplicaReply.Differing differing)
                            foreach (var theirs in differing.Tiles.Where(theirs => theirs.At == at))
                                tiles.Run(new TileRepair(
                                    node.Self.Node, member, configuration, theirs.Sums, node.Cluster.Plan.Patience)
                                {
                                    BegunMs = node.CalendarMs,
                                });
                    });
        });
    }

    /// <summary>One answer, the first of a real one and patience's end; late ones are nobody's.</summary>
    private void Send(NodeId to, ReplicaRequest request, Action<ReplicaReply?> done)
    {
        var ended = false;
        tiles.Send(to, request, End);
        node.Cluster.World.After(node.Number, AnswerMax, () => End(null));

        void End(ReplicaReply? reply)
        {
            if (ended)
                return;
            ended = true;
            done(reply);
        }
    }
}
