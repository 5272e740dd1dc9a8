using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Tests.Simulation.Swarm;

/// <summary>The ring, the membership cache and the fingers of one process, driven as Node/Ring and Node/Discovery
/// drive them.</summary>
internal sealed class RingHost
{
    private static readonly TimeSpan PauseCheck = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MeetTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HelpTimeout = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LookupTimeout = TimeSpan.FromSeconds(1);
    private readonly SwarmNode _node;
    private readonly SwarmCluster _cluster;
    private readonly Prng _random;
    private readonly TimeSpan _started;
    private MembershipEffect.Reply? _reply;
    private RingAnswer? _revealed;

    public RingHost(SwarmNode node, ulong incarnation)
    {
        (_node, _cluster) = (node, node.Cluster);
        Audit = new AuditHost(node, this);
        _random = new Prng(_cluster.World.Random.Next());
        _started = _cluster.World.Now;
        var plan = _cluster.Plan;
        State = RingState.Starting(node.Self, plan.Ring);
        Fingers = FingerTable.Of(node.Self);
        var options = plan.Membership;
        if (plan.Mistake == SwarmMistake.MissIsDeath)
            options = options with { HelperCount = 0 };
        Cache = MembershipState.Starting(node.Self, incarnation, 0, TimeSpan.Zero, options);
        var founders = _cluster.FoundersOf(node).Where(peer => peer != node.Self)
            .Select(peer => peer with { Address = "" });
        Heed(new MembershipInput.Founded(Clock, [.. founders]));
    }

    public RingState State { get; private set; }

    public MembershipState Cache { get; private set; }

    public FingerTable Fingers { get; private set; }

    public AuditHost Audit { get; }

    /// <summary>This process's running time.</summary>
    public TimeSpan Clock => _cluster.World.Now - _started;

    public void Start()
    {
        Every(State.Options.StabilizeInterval, () => Feed(new RingInput.StabilizeDue()));
        Every(Cache.Options.ProbeInterval, Probe);
        Every(State.Options.FixFingersInterval, FixFinger);
        if (_cluster.Plan.AuditEvery is { } every)
            Audit.Start(every);
        if (_cluster.Plan.Mistake != SwarmMistake.MissIsDeath)
            WatchForPauses(_cluster.World.Now);
        _cluster.World.After(
            _node.Number, _cluster.World.Random.Between(TimeSpan.Zero, PauseCheck), () => Seek(_node.Remembered));
    }

    public void Receive(Peer from, object body, Action<object> answer)
    {
        switch (body)
        {
            case Ask.GetRing:
                Feed(new RingInput.RingRead());
                answer(_revealed!);
                break;
            case Ask.Notify: Feed(new RingInput.Notified(from)); break;
            case Ask.Ping(var member, var gossip, var wantAll, var digest):
                Heed(new MembershipInput.Pinged(Clock, member, gossip, wantAll, digest));
                answer(_reply!);
                break;
            case Ask.PingFor(var target):
                _node.Call(target.Address, Alive(), HelpTimeout, reply => answer(reply is not null));
                break;
            case Ask.FindSuccessor(var point): answer(Routing.Answer(State, Fingers, null, point)); break;
            case Ask.Beacon(var peer): Hint(peer.Address); break;
            case Ask.Token or Ask.TokenEnded or Ask.RingFailed: Audit.Hear(body); break;
        }
    }

    public void Feed(RingInput input)
    {
        (State, var effects) = RingProtocol.Step(State, input);
        foreach (var effect in effects)
            Perform(effect);
    }

    public void Heed(MembershipInput input)
    {
        (Cache, var effects) = MembershipProtocol.Step(Cache, input, _random);
        foreach (var effect in effects)
            switch (effect)
            {
                case MembershipEffect.Reply said: _reply = said; break;
                case MembershipEffect.Ping ping: Send(ping); break;
                case MembershipEffect.PingFor help:
                    _node.Call(help.Helper.Address, new Ask.PingFor(help.Target), help.Timeout,
                        seen => Heed(new MembershipInput.HelperSaid(Clock, help.Probe, (bool?)seen)));
                    break;
                case MembershipEffect.Happened(var happened):
                    if (happened is MembershipEvent.Died or MembershipEvent.Left)
                        Fingers = Fingers.Without(happened.Member.Peer);
                    break;
                case MembershipEffect.CacheChanged:
                    Feed(Cache.ForRing());
                    if (!Cache.Members.Live.IsEmpty)
                        _node.Remembered = Cache.Members.Live;
                    break;
            }
    }

    private void Send(MembershipEffect.Ping ping)
    {
        var refused = false;
        _node.Call(
            ping.To.Address, new Ask.Ping(ping.Self, ping.Gossip, ping.WantAll, ping.Digest), ping.Timeout,
            answer => Heed(answer is MembershipEffect.Reply pong
                ? new MembershipInput.Acked(Clock, ping.Probe, pong.Self, pong.Gossip)
                : new MembershipInput.Missed(Clock, ping.Probe, refused)),
            () => refused = true);
    }

    private void Perform(RingEffect effect)
    {
        switch (effect)
        {
            case RingEffect.AskRing(var nonce, var to):
                _node.Call(to.Address, new Ask.GetRing(), State.Options.AskTimeout,
                    answer => Feed(answer is RingAnswer told
                        ? new RingInput.Answered(nonce, told) : new RingInput.AskTimedOut(nonce)));
                break;
            case RingEffect.AskAlive(var nonce, var to):
                _node.Call(to.Address, Alive(), State.Options.AskTimeout, answer => Feed(answer is not null
                    ? new RingInput.StillAlive(nonce) : new RingInput.AskTimedOut(nonce)));
                break;
            case RingEffect.Notify(var to):
                if (_cluster.NumberOf(to.Address) is >= 0 and var number)
                    _node.Tell(number, new Ask.Notify());
                break;
            case RingEffect.Reveal(var answer): _revealed = answer; break;
            case RingEffect.StabilizeSoon { Within: var within }:
                var soon = _cluster.World.Random.Between(TimeSpan.FromMilliseconds(10), within);
                _cluster.World.After(_node.Number, soon, () => Feed(new RingInput.StabilizeDue()));
                break;
            case RingEffect.Unreachable(var peer): Heed(new MembershipInput.Unreachable(Clock, peer)); break;
        }
    }

    private Ask.Ping Alive() => new(Cache.Members.Own, [], false, 0);

    private void Probe()
    {
        var near = State.Successors.Take(2).Append(State.Predecessor).OfType<Peer>().Distinct().ToImmutableArray();
        Heed(new MembershipInput.ProbeDue(Clock, near));
    }

    private void FixFinger()
    {
        if (State.Phase is not RingPhase.Member || State.Successors.IsEmpty)
            return;
        var point = Fingers.NextStart;
        var own = Routing.Answer(State, Fingers, Cache.Members, point);
        Walk(Lookup.Start(State.Self, point, own, Lookup.StepsMax(Cache.Members.Count, State.Options.SuccessorCount)));
    }

    private void Walk(Lookup lookup)
    {
        if (lookup.Want is LookupWant.Ask(var peer))
            _node.Call(peer.Address, new Ask.FindSuccessor(lookup.Point), LookupTimeout,
                reply => Walk(reply is RouteReply route ? lookup.Answered(route) : lookup.Unreachable()));
        else if (lookup.Point == Fingers.NextStart)
            Fingers = lookup.Want is LookupWant.Done(var owner) ? Fingers.Fix(owner) : Fingers.Skip();
    }

    /// <summary>Nothing is learned from a hint at a member that answers at that very address.</summary>
    private void Hint(string address)
    {
        if (address == _node.Self.Address
            || Cache.Members.All.Any(member => member.IsReachable && member.Peer.Address == address))
            return;
        _node.Call(address, new Ask.Ping(Cache.Members.Own, [], true, 0), MeetTimeout, answer =>
        {
            if (answer is MembershipEffect.Reply met && met.Self.Peer.Node != _node.Self.Node)
                Heed(new MembershipInput.Acked(Clock, 0, met.Self with
                {
                    Peer = met.Self.Peer with { Address = address },
                }, met.Gossip));
        });
    }

    /// <summary>Beacons, seeds and the members of last time: often while alone or fresh, seldom later.</summary>
    private void Seek(IReadOnlyList<Peer> lastTime)
    {
        var isAlone = Cache.Members.Live.IsEmpty;
        if (_cluster.Plan.HasBeacons)
            foreach (var other in _cluster.Machines)
                if (other.Number != _node.Number && other.IsUp)
                    _node.Tell(other.Number, new Ask.Beacon(_node.Self));
        foreach (var peer in lastTime)
            Hint(peer.Address);
        foreach (var seed in _cluster.Seeds)
            Hint(seed.Address);
        var random = _cluster.World.Random;
        var wait = isAlone || Clock < TimeSpan.FromSeconds(20)
            ? random.Between(TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(2.5))
            : random.Between(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
        _cluster.World.After(_node.Number, wait, () => Seek(lastTime));
    }

    private void WatchForPauses(TimeSpan before) => _cluster.World.After(_node.Number, PauseCheck, () =>
    {
        if (_cluster.World.Now - before - PauseCheck >= PauseMin)
        {
            Heed(new MembershipInput.Paused(Clock));
            Feed(new RingInput.Paused());
        }

        WatchForPauses(_cluster.World.Now);
    });

    private void Every(TimeSpan interval, Action beat) => _cluster.World.After(
        _node.Number, _cluster.World.Random.Between(interval * 0.75, interval * 1.25), () =>
        {
            beat();
            Every(interval, beat);
        });
}
