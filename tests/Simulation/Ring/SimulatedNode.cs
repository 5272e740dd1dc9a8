using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Tests.Simulation.Ring;

internal delegate (RingState State, ImmutableArray<RingEffect> Effects) RingStep(RingState state, RingInput input);

/// <summary>The host of one node's ring layer and, when it has one, of its membership cache.</summary>
internal sealed class SimulatedNode(SimulatedRing ring, int number, RingState start, RingStep step)
{
    private readonly Dictionary<ulong, Action<object?>> _calls = [];
    private readonly Prng _random = new(ring.World.Seed * 1000 + (ulong)number);
    private ulong _nextCall = 1;

    public int Number => number;

    public RingState Ring { get; private set; } = start;

    public MembershipState? Cache { get; set; }

    public List<string> Events { get; } = [];

    public void Start()
    {
        Every(Ring.Options.StabilizeInterval, () => Feed(new RingInput.StabilizeDue()));
        if (Cache is not null)
            Every(Cache.Options.ProbeInterval, Probe);
    }

    public void Feed(RingInput input)
    {
        var before = Ring;
        (Ring, var effects) = step(Ring, input);
        ring.Saw(this, input, effects);
        if (before.Version != Ring.Version && input is not RingInput.RingRead && IsOther(before, Ring))
            ring.Changed(this);
        foreach (var effect in effects)
            Perform(effect);
    }

    public void Feed(MembershipInput input)
    {
        if (Cache is not null)
            Heed(input);
    }

    public void Receive(int from, RingMessage message)
    {
        if (message.IsAnswer)
        {
            if (_calls.Remove(message.Call, out var done))
                done(message.Body);
            return;
        }

        var peer = ring.PeerOf(from);
        switch (message.Body)
        {
            case Request.GetRing:
                ring.Revealed = null;
                Feed(new RingInput.RingRead());
                if (ring.Revealed is { } revealed)
                    Answer(from, message, revealed);
                break;
            case Request.Alive: Answer(from, message, "alive"); break;
            case Request.Notify: Feed(new RingInput.Notified(peer)); break;
            case Request.Ping(var ping):
                var pinged = new MembershipInput.Pinged(
                    ring.World.Now, ping.Self, ping.Gossip, ping.WantAll, ping.Digest);
                if (Heed(pinged) is { } reply)
                    Answer(from, message, new Request.Pong(reply));
                break;
            case Request.PingFor(var target):
                Call(ring.NumberOf(target), new Request.Alive(), Cache!.Options.ProbeTimeout,
                    answer => Answer(from, message, answer is not null));
                break;
        }
    }

    private static bool IsOther(RingState before, RingState after) => before.Phase != after.Phase
        || before.Predecessor != after.Predecessor || !before.Successors.SequenceEqual(after.Successors);

    private MembershipEffect.Reply? Heed(MembershipInput input)
    {
        (Cache, var effects) = MembershipProtocol.Step(Cache!, input, _random);
        MembershipEffect.Reply? reply = null;
        foreach (var effect in effects)
            switch (effect)
            {
                case MembershipEffect.Reply said: reply = said; break;
                case MembershipEffect.CacheChanged: Feed(Cache.ForRing()); break;
                case MembershipEffect.Happened(var what): Note(what); break;
                case MembershipEffect.Ping ping: Send(ping); break;
                case MembershipEffect.PingFor help:
                    Call(ring.NumberOf(help.Helper), new Request.PingFor(help.Target), help.Timeout,
                        answer => Heed(new MembershipInput.HelperSaid(ring.World.Now, help.Probe, (bool?)answer)));
                    break;
            }

        return reply;
    }

    private void Send(MembershipEffect.Ping ping) =>
        Call(ring.NumberOf(ping.To), new Request.Ping(ping), ping.Timeout,
            answer => Heed(answer is Request.Pong(var pong)
                ? new MembershipInput.Acked(ring.World.Now, ping.Probe, pong.Self, pong.Gossip)
                : new MembershipInput.Missed(ring.World.Now, ping.Probe)));

    private void Note(MembershipEvent what)
    {
        Events.Add($"{what.GetType().Name} {what.Member.Peer}");
        ring.World.Note(number, Events[^1]);
    }

    private void Perform(RingEffect effect)
    {
        switch (effect)
        {
            case RingEffect.AskRing(var nonce, var to):
                Call(ring.NumberOf(to), new Request.GetRing(), Ring.Options.AskTimeout,
                    answer => Feed(answer is RingAnswer told
                        ? new RingInput.Answered(nonce, told) : new RingInput.AskTimedOut(nonce)));
                break;
            case RingEffect.AskAlive(var nonce, var to):
                Call(ring.NumberOf(to), new Request.Alive(), Ring.Options.AskTimeout, answer => Feed(answer is not null
                    ? new RingInput.StillAlive(nonce) : new RingInput.AskTimedOut(nonce)));
                break;
            case RingEffect.Notify(var to):
                ring.World.Send(number, ring.NumberOf(to), new RingMessage(0, false, new Request.Notify()));
                break;
            case RingEffect.Reveal(var answer): ring.Revealed = answer; break;
            case RingEffect.StabilizeSoon { Within: var within }:
                ring.World.After(number, ring.Soon(within), () => Feed(new RingInput.StabilizeDue()));
                break;
            case RingEffect.Unreachable(var peer):
                Feed(new MembershipInput.Unreachable(ring.World.Now, peer));
                break;
        }
    }

    private void Probe()
    {
        var neighbours = Ring.Successors.Take(2).ToImmutableArray();
        if (Ring.Predecessor is { } predecessor)
            neighbours = neighbours.Add(predecessor);
        Feed(new MembershipInput.ProbeDue(ring.World.Now, neighbours));
    }

    private void Every(TimeSpan interval, Action beat) => ring.World.After(
        number, ring.World.Random.Between(interval * 0.8, interval * 1.2), () =>
        {
            beat();
            Every(interval, beat);
        });

    private void Call(int to, object request, TimeSpan timeout, Action<object?> done)
    {
        var call = _nextCall++;
        _calls[call] = done;
        ring.World.Send(number, to, new RingMessage(call, false, request));
        ring.World.After(number, timeout, () =>
        {
            if (_calls.Remove(call, out var waiting))
                waiting(null);
        });
    }

    private void Answer(int to, RingMessage question, object body) =>
        ring.World.Send(number, to, new RingMessage(question.Call, true, body));
}
