using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Disks;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>Whether a process may serve with the disk it has, and whom it lets speak, as Node/Identity and
/// Node/Ring decide it: docs/protocol.md#copied-and-restored-disks.</summary>
internal sealed class DiskHost
{
    private const int ProbedMax = 8;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan GreetEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan GreetTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ForTheUnheard = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ForTheSilent = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(5);
    private readonly SwarmNode _node;
    private readonly DiskWitness _witness = new();
    private readonly HashSet<NodeId> _welcomes = [];
    private readonly TimeSpan _started;
    private readonly bool _trusts;

    public DiskHost(SwarmNode node)
    {
        (_node, _started) = (node, node.Cluster.World.Now);
        _trusts = node.Cluster.Plan.Mistake == SwarmMistake.TrustsCopies;
        foreach (var (other, seen) in node.Sightings)
            _witness.Remember(other, seen);
    }

    /// <summary>Whether it serves.</summary>
    public bool IsOpen { get; private set; }

    private TimeSpan Waited => _node.Cluster.World.Now - _started;

    /// <summary>Shows this start to the others; <paramref name="open"/> when enough of them have looked.</summary>
    public void Start(Action open)
    {
        Greet();
        Await(open);
        Save();
    }

    public DiskSighting? Of(NodeId other) => _witness.Of(other);

    /// <summary>Judges the sender of a message; the refusal, or null when it may speak.</summary>
    /// <param name="before">What had been seen of it when it was asked.</param>
    /// <param name="serves">Whether this is more than a greeting: only who serves is remembered.</param>
    public Ask.Refused? Judge(NodeId other, DiskHistory told, DiskSighting? before, bool serves)
    {
        if (_trusts)
            return null;
        if (before is { } seen && told.JudgedBy(seen) != DiskVerdict.Whole)
            return new(seen);
        var verdict = serves ? _witness.Admit(other, told) : _witness.Judge(other, told);
        return verdict == DiskVerdict.Whole ? null : new(_witness.Of(other)!.Value);
    }

    public void WelcomedBy(NodeId other) => _welcomes.Add(other);

    /// <summary>Somebody has seen more of this disk; believed only if that is really missing here.</summary>
    public void RefusedBy(Ask.Refused refusal)
    {
        if (_node.History.JudgedBy(refusal.Seen) is not DiskVerdict.Whole and var verdict)
            _node.Quarantine($"refused: its disk is {verdict}");
    }

    /// <summary>All whom an operator, a beacon or the last time named.</summary>
    private void Greet()
    {
        var cluster = _node.Cluster;
        var heard = cluster.Plan.HasBeacons
            ? cluster.Machines.Where(other => other.IsUp).Select(other => other.Self)
            : [];
        foreach (var peer in _node.Remembered.Concat(cluster.Seeds).Concat(heard).DistinctBy(peer => peer.Address))
            if (peer.Address != _node.Self.Address)
                _node.Call(peer.Address, new Ask.Hello(), GreetTimeout, _ => { });
        cluster.World.After(_node.Number, GreetEvery, () =>
        {
            if (!IsOpen)
                Greet();
        });
    }

    private void Await(Action open)
    {
        if (IsVouched())
        {
            IsOpen = true;
            open();
            return;
        }

        _node.Cluster.World.After(_node.Number, Look, () => Await(open));
    }

    private bool IsVouched()
    {
        var members = _node.Ring.Cache.Members.All
            .Where(member => !member.IsGone && member.Peer.Node != _node.Self.Node).ToArray();
        var missing = members.Where(member => !_welcomes.Contains(member.Peer.Node)).ToArray();
        foreach (var member in missing.Where(member =>
            member is { WasHeard: true, IsReachable: false, MissedAt: null }).Take(ProbedMax))
            _node.Ring.Heed(new MembershipInput.Unreachable(_node.Ring.Clock, member.Peer));
        return missing.Length == 0 || _trusts || Waited >= ForTheSilent
            || (Waited >= ForTheUnheard && missing.Length < members.Length
                && missing.All(member => member.WasHeard && member.MissedAt is not null));
    }

    private void Save() => _node.Cluster.World.After(_node.Number, SaveEvery, () =>
    {
        _node.Sightings = _witness.Seen.ToDictionary();
        Save();
    });
}
