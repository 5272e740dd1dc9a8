using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;
using ChordChat.Core.Tiles.Sets;
using ChordChat.Tests.Simulation.World;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>What a node does for a client, as Node/Tiles/Replicator does it: runs the operation at the members it
/// knows and, when they do not answer, looks for newer ones.</summary>
internal sealed class Gateway(SwarmNode node)
{
    private const int AskedMax = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private TileHost Tiles => node.Tiles;

    private SimulatedWorld<SwarmMessage> World => node.Cluster.World;

    private CoordinatorOptions Options => node.Cluster.Plan.Patience;

    public void Change(
        Place at, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide, Action<RegisterChangeOutcome> done)
    {
        var configuration = Tiles.Directory.At(at.Point);
        var change = new RegisterChange(configuration, at.Name, decide, Tiles.Ballots, Options, World.Random.Next());
        Run(change, () => change.Outcome, outcome =>
        {
            if (outcome is RegisterChangeOutcome.Unavailable)
                SearchNewer(at, configuration, () => Change(at, decide, done), () => done(outcome));
            else
                done(outcome);
        });
    }

    public void Read(Place at, Action<RegisterReadOutcome> done)
    {
        var configuration = Tiles.Directory.At(at.Point);
        if (node.Cluster.Plan.Mistake == SwarmMistake.ReadsOneCopy
            && node.Store.PeekHeader(configuration.Tile) is { Phase: TilePhase.Active })
        {
            done(new RegisterReadOutcome.Agreed(node.Store.PeekRegister(configuration.Tile, at.Name).Value));
            return;
        }

        var read = new RegisterRead(
            configuration, at.Name, Tiles.Ballots, Options, World.Random.Next(), node.Cluster.Rules);
        Run(read, () => read.Outcome, outcome =>
        {
            if (outcome is RegisterReadOutcome.Unavailable)
                SearchNewer(at, configuration, () => Read(at, done), () => done(outcome));
            else
                done(outcome);
        });
    }

    /// <param name="first">When the sender first handed it in.</param>
    public void Add(Place at, SetMessage message, TimeSpan first, Action<SetAddOutcome> done)
    {
        var configuration = Tiles.Directory.At(at.Point);
        var add = new SetAdd(configuration, at.Name, message, Options, World.Random.Next())
        {
            SentMs = node.CalendarMs - (long)(World.Now - first).TotalMilliseconds,
        };
        SetAddOutcome? Outcome() => add.Outcome ?? (
            node.Cluster.Plan.Mistake == SwarmMistake.OneReplicaIsEnough && add.CopyCount > 0
                ? new SetAddOutcome.Stored() : null);
        Run(add, Outcome, outcome =>
        {
            if (outcome is SetAddOutcome.Queued)
                SearchNewer(at, configuration, () => Add(at, message, first, done), () => done(outcome));
            else
                done(outcome);
        });
    }

    public void Acknowledge(Place at, MessageId id, Action<SetAcknowledgeOutcome> done)
    {
        var configuration = Tiles.Directory.At(at.Point);
        var bury = new SetAcknowledge(configuration, at.Name, [id], Options, World.Random.Next());
        Run(bury, () => bury.Outcome, outcome =>
        {
            if (outcome is SetAcknowledgeOutcome.Unknown)
                SearchNewer(at, configuration, () => Acknowledge(at, id, done), () => done(outcome));
            else
                done(outcome);
        });
    }

    public void Scan(Place at, Action<IReadOnlyList<SetMessage>> deliver, Action<SetScanOutcome> done)
    {
        var configuration = Tiles.Directory.At(at.Point);
        var scan = new SetScan(configuration, at.Name, Options, World.Random.Next()) { BegunMs = node.CalendarMs };
        var ended = false;
        Tiles.Run(scan, effects =>
        {
            foreach (var effect in effects)
                if (effect is Effect.Deliver(var messages) && !ended)
                    deliver(messages);
            if (ended || scan.Outcome is not { } outcome)
                return;
            ended = true;
            if (outcome is SetScanOutcome.Unavailable)
                SearchNewer(at, configuration, () => done(outcome), () => done(outcome));
            else
                done(outcome);
        });
    }

    private void Run<T>(Coordinator coordinator, Func<T?> outcome, Action<T> done)
        where T : class
    {
        var ended = false;
        Tiles.Run(coordinator, _ =>
        {
            if (ended || outcome() is not { } known)
                return;
            ended = true;
            done(known);
        });
    }

    /// <summary>Asks those who should keep the tile by now whether it has moved on.</summary>
    private void SearchNewer(Place at, TileConfiguration known, Action newer, Action none)
    {
        var asked = node.Ring.Cache.Members.Clockwise(known.Tile.Start)
            .Where(member => member.IsReachable && member.Peer != node.Self && !known.Contains(member.Peer.Node))
            .Take(AskedMax).ToArray();
        var (left, ended, told) = (asked.Length, false, new List<TileConfiguration>());
        var isAlone = node.Ring.Cache.Members.All.Count(
            member => member.Peer != node.Self && !member.HasLeft) == 1;
        var question = new ReplicaRequest.GetConfiguration(TileId.Of(at.Point, TileId.BitsMax));
        foreach (var member in asked)
            Tiles.Send(member.Peer.Node, question, reply =>
            {
                if (reply is ReplicaReply.Standing { Newest: var newest })
                {
                    told.Add(newest);
                    if (isAlone || told.Count(other => other == newest) > 1)
                        Tiles.Directory.Learn(newest);
                }

                if (--left == 0)
                    End();
            });
        World.After(node.Number, asked.Length == 0 ? TimeSpan.Zero : Patience, End);

        void End()
        {
            if (ended)
                return;
            ended = true;
            if (Tiles.Directory.At(at.Point).IsNewerThan(known))
                newer();
            else
                none();
        }
    }
}

/// <summary>A register or a set: where on the circle it is, and its name there.</summary>
internal sealed record Place(RingId Point, string Name)
{
    public static Place Of(string kind, string name) => new(RingId.OfKey(kind, name), $"{kind}/{name}");
}
