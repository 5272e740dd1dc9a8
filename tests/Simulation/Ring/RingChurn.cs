using ChordChat.Core.Ring;
using Prng = ChordChat.Tests.Simulation.World.Prng;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>Joins and crashes within the assumptions of Zave's proof: who is not heard is dead, and the ring can spare
/// the one that dies, with one spare. Messages are late and overtake each other.</summary>
internal sealed class RingChurn
{
    private const int MembersMax = 14;
    private readonly SimulatedRing _ring;
    private readonly bool _hasCache;
    private string? _fault;

    public RingChurn(ulong seed, RingStep? step = null, bool hasCache = false)
    {
        _hasCache = hasCache;
        _ring = new SimulatedRing(seed, new RingOptions
        {
            SuccessorCount = 3,
            StabilizeInterval = TimeSpan.FromMilliseconds(200),
            AskTimeout = TimeSpan.FromMilliseconds(400),
        }, step);
        var network = _ring.World.Network;
        (network.DelayMin, network.DelayMax) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(40));
        (network.Straggling, network.StraggleMax) = (0.05, TimeSpan.FromMilliseconds(190));
    }

    private Prng Random => _ring.World.Random;

    /// <summary>Churn, then calm. Gives the first fault in words, or null.</summary>
    public string? Run(TimeSpan churn)
    {
        _ring.AddExact(Enumerable.Range(0, 7).Select(_ => Position()));
        _ring.OnChanged = _ => Check();
        var end = _ring.World.Now + churn;
        while (_fault is null && _ring.World.Now < end)
        {
            Disturb();
            _ring.World.RunUntil(
                () => _fault is not null, Random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(600)));
        }

        if (_fault is not null)
            return _ring.World.Failure(_fault);
        SetCaches(exact: true);
        var exact = _ring.World.RunUntil(() => _fault is not null || IsExact(), TimeSpan.FromSeconds(30));
        return _fault is not null ? _ring.World.Failure(_fault)
            : exact ? null
            : _ring.World.Failure($"not exact 30 s after the churn: {new RingChecker(_ring).Inexactness()}");
    }

    private bool IsExact() => _ring.Running.All(node => node.Ring.Phase is RingPhase.Member)
        && new RingChecker(_ring).Inexactness() is null;

    private void Disturb()
    {
        var running = _ring.Running.ToList();
        if (running.Count < MembersMax && Random.Chance(0.55))
            Join();
        else if (Random.Pick(running) is var victim && new RingChecker(_ring).CanSpare(victim.Ring.Self))
        {
            _ring.World.Crash(victim.Number);
            Check();
        }

        SetCaches(exact: false);
    }

    private void Join()
    {
        var contact = Random.Pick(_ring.Members.ToList());
        var crashed = _ring.World.Nodes.Where(number => !_ring.World.IsUp(number)).ToList();
        var node = crashed.Count > 0 && Random.Chance(0.3)
            ? _ring.Restart(Random.Pick(crashed))
            : _ring.Add(Position());
        node.Feed(new RingInput.MembersKnown([contact.Ring.Self], 0, []));
        node.Start();
    }

    /// <summary>Gives members caches that are exact, or that hold anybody who ever was, in the ring or not, alive or
    /// dead;
    /// and those who still look for their place somebody to ask.</summary>
    private void SetCaches(bool exact)
    {
        var members = _ring.Members.Select(node => node.Ring.Self).ToList();
        foreach (var node in _ring.Running.ToList())
            node.Feed(new RingInput.MembersKnown(
                node.Ring.Phase is not RingPhase.Member ? [Random.Pick(members)]
                : !_hasCache ? []
                : exact ? [.. members]
                : [.. Random.Sample(_ring.Peers, Random.Below(_ring.Peers.Count))], 0, []));
    }

    private UInt128 Position() => new(Random.Next(), Random.Next());

    private void Check() => _fault ??= new RingChecker(_ring).Fault();
}
