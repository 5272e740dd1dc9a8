using System.Collections.Immutable;
using Effects = System.Collections.Immutable.ImmutableArray<ChordChat.Core.Ring.MembershipEffect>;

namespace ChordChat.Core.Ring;

/// <summary>Whom a node probes and when a silent member is dead; docs/protocol.md, "Ring: failure detector".</summary>
internal static class ProbeRound
{
    private const int SuspectsPerRoundMax = 3;
    private const int GoodbyesMax = 8;
    private const int ElsewhereMax = 8;
    private const int LostAfter = 10;
    private const int UnaskedMax = 8;

    /// <summary>One beat: ages suspicions, then probes the neighbours, a random member, suspects, whom others doubt,
    /// now and then a dead one.</summary>
    public static (MembershipState, Effects) Run(MembershipState s, MembershipInput.ProbeDue due, Prng random)
    {
        var (aged, effects) = Age(ForgetLost(s, due.Now), due.Now);
        s = Refill(aged, random) with { AskedAtOnce = 0 };
        var chosen = ImmutableArray.CreateBuilder<Peer>();
        chosen.AddRange(due.Neighbours);
        (s, var next) = NextOfRound(s);
        if (next is not null)
            chosen.Insert(0, next);
        var suspects = PeersThat(s, member => member.Health is Health.Suspect
            || member is { Health: Health.Leaving, IsReachable: false });
        chosen.AddRange(Shuffled(suspects, random).Take(SuspectsPerRoundMax));
        chosen.AddRange(Unasked(s, random));
        if (due.Now - s.PassiveAt >= s.Options.PassiveInterval)
        {
            s = s with { PassiveAt = due.Now };
            chosen.AddRange(Shuffled(PeersThat(s, member => member.Health is Health.Dead
                || member is { Health: Health.Left, IsReplaceable: false }), random).Take(1));
        }

        var compares = s.Synced && due.Now - s.ComparedAt >= s.Options.CompareInterval;
        foreach (var peer in chosen.Distinct())
        {
            if (Current(s, peer) is not { } target || IsProbed(s, target))
                continue;
            (s, var ping) = Ping(s, target, due.Now, !s.Synced, compares);
            effects = effects.Add(ping);
            s = compares ? s with { ComparedAt = due.Now } : s;
            compares = false;
        }

        return (s, effects);
    }

    /// <summary>A hint is worth a probe when it says something that the cache does not.</summary>
    public static (MembershipState, Effects) ProbeHint(MembershipState s, Peer hint, TimeSpan now)
    {
        var known = s.Members[hint.Node];
        var isNews = known is null || !known.IsReachable || known.Peer.Address != hint.Address;
        var asked = s.Probes.Values.Any(probe => probe.Target == hint && probe.Target.Address == hint.Address);
        if (!isNews || asked || s.Denied.Contains(hint.Node) || hint == s.Members.Self || hint.Address.Length == 0)
            return (s, []);
        (s, var ping) = Ping(s, hint, now, !s.Synced);
        return (s, [ping]);
    }

    /// <summary>Somebody else says that a member is where others or this node do not know it: it is asked there, a few
    /// such at a time.</summary>
    public static (MembershipState, Effects) ProbeElsewhere(MembershipState s, Peer elsewhere, TimeSpan now)
    {
        var others = s.Probes.Values.Where(probe =>
            s.Members[probe.Target.Node]?.Peer.Address != probe.Target.Address).ToArray();
        return others.Length >= ElsewhereMax || Array.Exists(others, probe => probe.Target == elsewhere)
            ? (s, []) : ProbeHint(s, elsewhere, now);
    }

    public static (MembershipState, Effects) ProbeDoubted(MembershipState s, Peer doubted, TimeSpan now)
    {
        if (Current(s, doubted) is not { } target || IsProbed(s, target))
            return (s, []);
        (s, var ping) = Ping(s, target, now);
        return (s, [ping]);
    }

    /// <summary>Others doubt a member that has spoken here: its own word is one round trip away. A few such are asked
    /// at once, the rest with the next beats.</summary>
    public static (MembershipState, Effects) ProbeUnasked(MembershipState s, Peer doubted, TimeSpan now)
    {
        if (s.Members[doubted.Node] is not { IsUnasked: true } || s.AskedAtOnce >= UnaskedMax)
            return (s, []);
        (s, var effects) = ProbeDoubted(s, doubted, now);
        return (s with { AskedAtOnce = s.AskedAtOnce + effects.Length }, effects);
    }

    /// <summary>Tells the nearest members on both sides at once what this node says of itself.</summary>
    public static (MembershipState, Effects) TellAround(MembershipState s, TimeSpan now)
    {
        var around = SmallRing.Clockwise(s.Members.Self, s.Members.Live);
        var near = around.Take(GoodbyesMax / 2).Concat(around.Reverse().Take(GoodbyesMax / 2)).Distinct();
        Effects effects = [];
        foreach (var peer in near)
        {
            (s, var ping) = Ping(s, peer, now);
            effects = effects.Add(ping);
        }

        return (s, effects);
    }

    public static TimeSpan TimeoutOf(MembershipState s) => s.Options.ProbeTimeout * (1 + s.Strain);

    /// <summary>When a result that is awaited from now on must have been lost.</summary>
    public static TimeSpan LostAt(MembershipState s, TimeSpan now) => now + (TimeoutOf(s) * LostAfter);

    public static IEnumerable<T> Shuffled<T>(IEnumerable<T> items, Prng random)
    {
        var left = items.ToList();
        while (left.Count > 0)
        {
            var i = random.Below(left.Count);
            (var item, left[i]) = (left[i], left[^1]);
            left.RemoveAt(left.Count - 1);
            yield return item;
        }
    }

    /// <summary>Who was silent here for the time given is dead; the dead are forgotten in the end.</summary>
    private static (MembershipState, Effects) Age(MembershipState s, TimeSpan now)
    {
        Effects effects = [];
        foreach (var member in s.Members.All)
        {
            var patience = member.Refuses ? s.Options.DeadAfter : s.Options.SilentDeadAfter;
            if (member is { MissedAt: { } missed, IsReplaceable: false, Health: not Health.Alive }
                && now - missed >= patience && (member.Confirmed || !SomebodyCouldConfirm(s)))
            {
                var lost = member with { IsReplaceable = true };
                (s, var died) = member.Health is Health.Dead or Health.Left
                    ? (s with { Members = s.Members.With(lost) }, [])
                    : MembershipMerge.Put(s, member, lost with { Health = Health.Dead, ChangedAt = now });
                effects = effects.AddRange(died);
            }
            else if (member.WasHeard && member.Health is Health.Dead or Health.Left && member.Peer != s.Members.Self
                && now - member.ChangedAt >= s.Options.ForgetAfter)
                s = s with
                {
                    Members = s.Members.Without(member.Peer.Node),
                    Rumours = s.Rumours.Remove(member.Peer.Node),
                };
        }

        return (s, effects);
    }

    /// <summary>Whose result does not come may be probed again.</summary>
    private static MembershipState ForgetLost(MembershipState s, TimeSpan now) =>
        s.Probes.Values.Any(probe => probe.Until <= now)
            ? s with { Probes = s.Probes.RemoveRange(s.Probes.Where(p => p.Value.Until <= now).Select(p => p.Key)) }
            : s;

    private static bool SomebodyCouldConfirm(MembershipState s) => !s.Members.Live.IsEmpty;

    /// <summary>Some of those whom others doubt and this node has not asked, and of those that never spoke here: first
    /// who has spoken, as others can make up any number of members.</summary>
    private static IEnumerable<Peer> Unasked(MembershipState s, Prng random) =>
        Shuffled(PeersThat(s, member => member.IsUnasked || member is { Spoken: 0, Health: Health.Alive })
            .Where(peer => !IsProbed(s, peer)), random)
            .OrderByDescending(peer => s.Members[peer.Node] is { Spoken: > 0 }).Take(UnaskedMax);

    private static MembershipState Refill(MembershipState s, Prng random) => s.Round.IsEmpty
        ? s with { Round = [.. Shuffled(s.Members.Live.Select(peer => peer.Node), random)] }
        : s;

    private static (MembershipState, Peer?) NextOfRound(MembershipState s)
    {
        while (!s.Round.IsEmpty)
        {
            var node = s.Round[0];
            s = s with { Round = s.Round.RemoveAt(0) };
            if (s.Members[node] is { IsReachable: true } member)
                return (s, member.Peer);
        }

        return (s, null);
    }

    private static IEnumerable<Peer> PeersThat(MembershipState s, Func<Member, bool> holds) =>
        s.Members.All.Where(member => member.WasHeard && member.Peer != s.Members.Self && holds(member))
            .Select(member => member.Peer);

    /// <summary>The peer with its newest address, unless it is this node, unknown, gone or without an
    /// address.</summary>
    private static Peer? Current(MembershipState s, Peer peer) => peer != s.Members.Self
        && s.Members[peer.Node] is { WasHeard: true, HasLeft: false } member && member.Peer.Address.Length > 0
            ? member.Peer : null;

    /// <summary>At this address: one that others name must not keep it from being probed where it is.</summary>
    private static bool IsProbed(MembershipState s, Peer peer) =>
        s.Probes.Values.Any(probe => probe.Target == peer && probe.Target.Address == peer.Address);

    private static (MembershipState, MembershipEffect.Ping) Ping(
        MembershipState s, Peer to, TimeSpan now, bool wantAll = false, bool compares = false)
    {
        (s, var gossip) = Gossip.Pick(s, to.Node);
        var ping = new MembershipEffect.Ping(
            s.NextProbe, to, s.Members.Own, gossip, wantAll, compares ? s.Members.Digest : 0, TimeoutOf(s));
        return (s with
        {
            Probes = s.Probes.Add(s.NextProbe, new Probe(to, LostAt(s, now), WantsAll: wantAll)),
            NextProbe = s.NextProbe + 1,
        }, ping);
    }
}
