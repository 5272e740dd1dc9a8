using System.Collections.Immutable;
using static ChordChat.Core.Ring.MembershipInput;
using Effects = System.Collections.Immutable.ImmutableArray<ChordChat.Core.Ring.MembershipEffect>;

namespace ChordChat.Core.Ring;

/// <summary>The membership cache and its failure detector, as one pure step.</summary>
/// <remarks>
/// Rules: docs/protocol.md, "Ring: membership cache", "Ring: failure detector", "Ring: gossip".
/// Sources: Das, Gupta, Motivala, SWIM (DSN 2002); Dadgar et al., Lifeguard (DSN-W 2018).
/// </remarks>
public static class MembershipProtocol
{
    private const int StrainMax = 7;

    /// <summary>What the node believes after <paramref name="input"/>, and what its host has to do.</summary>
    /// <param name="random">The host's; used to choose whom to probe and whom to ask for help.</param>
    public static (MembershipState State, Effects Effects) Step(
        MembershipState s, MembershipInput input, Prng random) => input switch
        {
            ProbeDue due => Beat(s, due, random),
            Acked acked => Acknowledge(s, acked, random),
            Missed missed => AskHelpers(s, missed, random),
            Busy busy => Excuse(s, busy),
            HelperSaid said => HearHelper(s, said),
            Pinged pinged => Answer(s, pinged),
            HeardOf(var now, var peer) => ProbeRound.ProbeHint(s, peer, now),
            Unreachable(var now, var peer) => ProbeRound.ProbeDoubted(s, peer, now),
            Founded(var now, var founders) => Found(s, founders, now),
            Paused(var now) => Trust(s, now),
            Moved(_, var address) => SayOfSelf(s, own => own with { Peer = own.Peer with { Address = address } }),
            Denied(var now, var nodes) => Deny(s, nodes, now),
            LeaveBegun(var now) => SayGoodbye(s, Health.Leaving, now),
            LeaveDone(var now) => SayGoodbye(s, Health.Left, now),
            _ => (s, []),
        };

    /// <summary>A beat that comes much too late says that this process was paused, whoever notices it first.</summary>
    private static (MembershipState, Effects) Beat(MembershipState s, ProbeDue due, Prng random)
    {
        var late = s.BeatAt is { } last && due.Now - last >= s.Options.ProbeInterval * 1.25 + s.Options.PauseMin;
        s = (late ? Trust(s, due.Now).Item1 : s) with { BeatAt = due.Now };
        return ProbeRound.Run(s, due, random);
    }

    private static (MembershipState, Effects) Acknowledge(MembershipState s, Acked acked, Prng random)
    {
        var probe = s.Probes.GetValueOrDefault(acked.Probe);
        var isItself = probe?.Target == acked.From.Peer; // The connection was to that very node.
        var (next, effects) = MembershipMerge.All(
            s, isItself ? acked.From : null,
            isItself ? acked.Gossip : acked.Gossip.Insert(0, acked.From), acked.Now);
        if (probe is null)
            return (next, effects);
        if (!isItself)
        {
            (next, var missed) = AskHelpers(next, new Missed(acked.Now, acked.Probe), random);
            return (next, effects.AddRange(missed));
        }

        var firstSync = probe.WantsAll && !s.Synced;
        return (next with
        {
            Probes = next.Probes.Remove(acked.Probe),
            Synced = next.Synced || probe.WantsAll,
            Strain = Math.Max(0, next.Strain - 1),
        }, firstSync ? effects.Add(new MembershipEffect.CacheChanged()) : effects);
    }

    /// <summary>A missed answer is no verdict yet: others are asked to try.</summary>
    private static (MembershipState, Effects) AskHelpers(MembershipState s, Missed missed, Prng random)
    {
        if (s.Probes.GetValueOrDefault(missed.Probe) is not { HelpersAwaited: 0 } probe)
            return (s, []);
        if (!IsDoubtful(s.Members[probe.Target.Node]) || missed.Now < s.TrustUntil || !IsWhereItIs(s, probe.Target))
            return (s with { Probes = s.Probes.Remove(missed.Probe) }, []);
        probe = probe with { Refused = missed.Refused };
        var others = s.Members.Live.Remove(probe.Target);
        var helpers = ProbeRound.Shuffled(others, random).Take(s.Options.HelperCount).ToList();
        if (helpers.Count == 0)
            return Doubt(s with { Probes = s.Probes.Remove(missed.Probe) }, probe, missed.Now);
        var timeout = ProbeRound.TimeoutOf(s) * 2;
        probe = probe with { HelpersAwaited = helpers.Count, Until = ProbeRound.LostAt(s, missed.Now) };
        return (
            s with { Probes = s.Probes.SetItem(missed.Probe, probe) },
            [.. helpers.Select(helper => new MembershipEffect.PingFor(missed.Probe, helper, probe.Target, timeout))]);
    }

    /// <summary>Nothing is concluded; one that was found silent before gets the full time again.</summary>
    private static (MembershipState, Effects) Excuse(MembershipState s, Busy busy)
    {
        if (s.Probes.GetValueOrDefault(busy.Probe) is not { } probe)
            return (s, []);
        s = s with { Probes = s.Probes.Remove(busy.Probe) };
        return s.Members[probe.Target.Node] is { MissedAt: not null, IsReplaceable: false } member
            ? (s with { Members = s.Members.With(member with { MissedAt = busy.Now }) }, [])
            : (s, []);
    }

    private static (MembershipState, Effects) HearHelper(MembershipState s, HelperSaid said)
    {
        if (s.Probes.GetValueOrDefault(said.Probe) is not { HelpersAwaited: > 0 } probe)
            return (s, []);
        probe = probe with
        {
            HelpersAwaited = probe.HelpersAwaited - 1,
            Reached = probe.Reached + (said.Answered is true ? 1 : 0),
            Silent = probe.Silent + (said.Answered is false ? 1 : 0),
        };
        if (probe.IsAnswered)
            return (s with { Probes = s.Probes.Remove(said.Probe), Strain = Math.Min(StrainMax, s.Strain + 1) }, []);
        if (probe.HelpersAwaited > 0)
            return (s with { Probes = s.Probes.SetItem(said.Probe, probe) }, []);
        s = s with { Probes = s.Probes.Remove(said.Probe) };
        return said.Now < s.TrustUntil ? (s, []) : Doubt(s, probe, said.Now);
    }

    /// <summary>Somebody else's word that a member is dead or gone is one witness; this node's own probe is the
    /// second.</summary>
    private static bool IsDoubtful(Member? member) => member is { WasHeard: true }
        && (member.Health is not (Health.Dead or Health.Left) || !member.IsReplaceable
            || (member.Health is Health.Dead && !member.Confirmed));

    /// <summary>Silence at an address that somebody else named says nothing of the member.</summary>
    private static bool IsWhereItIs(MembershipState s, Peer target) =>
        s.Members[target.Node] is not { } known || known.Peer.Address == target.Address;

    /// <summary>Nobody reached it: an alive member becomes suspect, one that has said itself that it is about to leave
    /// is dead at once. For one that is dead or gone as others say, the placement time begins.</summary>
    private static (MembershipState, Effects) Doubt(MembershipState s, Probe probe, TimeSpan now)
    {
        if (s.Members[probe.Target.Node] is not { WasHeard: true } member)
            return (s, []);
        var silent = member with
        {
            Confirmed = member.Confirmed || probe.Confirmed,
            Refuses = probe.Refused,
            MissedAt = member.MissedAt ?? now,
            AwaySince = member.AwaySince ?? now,
        };
        return member switch
        {
            { Health: Health.Alive } => MembershipMerge.Put(s, member, silent with
            { Health = Health.Suspect, ChangedAt = now, Confirmed = probe.Confirmed, MissedAt = now }),
            { Health: Health.Leaving, IsReplaceable: true } => MembershipMerge.Put(s, member, silent with
            { Health = Health.Dead, ChangedAt = now, Confirmed = probe.Confirmed }),
            { Health: Health.Leaving } => MembershipMerge.Put(s, member, silent),
            _ => (s with { Members = s.Members.With(silent) }, []),
        };
    }

    private static (MembershipState, Effects) Answer(MembershipState s, Pinged pinged)
    {
        var (next, effects) = MembershipMerge.All(
            s, pinged.From, pinged.Gossip, pinged.Now);
        var all = pinged.WantAll || pinged.Digest != 0 && pinged.Digest != next.Members.Digest;
        var gossip = Gossip.Everything(next);
        if (!all)
            (next, gossip) = Gossip.Pick(next, pinged.From.Peer.Node);
        return (next, effects.Add(new MembershipEffect.Reply(next.Members.Own, gossip)));
    }

    private static (MembershipState, Effects) Found(MembershipState s, ImmutableArray<Peer> founders, TimeSpan now)
    {
        var settled = s.StartedAt - s.Options.Quarantine;
        var unknown = founders.Where(peer => s.Members[peer.Node] is null).Aggregate(s.Members, (members, peer) =>
            members.With(new Member(peer, 0, Health.Dead, 0) { KnownSince = settled, ChangedAt = now }));
        return (s with { Members = unknown }, [new MembershipEffect.CacheChanged()]);
    }

    /// <summary>They are dead, seen so by two, and stay it: <see cref="MembershipMerge.One"/> hears nothing else of
    /// them.</summary>
    private static (MembershipState, Effects) Deny(MembershipState s, ImmutableArray<NodeId> nodes, TimeSpan now)
    {
        s = s with { Denied = [.. nodes] };
        Effects effects = [];
        foreach (var node in nodes)
        {
            if (s.Members[node] is not { } member || member.Peer == s.Members.Self)
                continue;
            (s, var died) = MembershipMerge.Put(s, member, member with
            {
                Incarnation = Math.Max(1, member.Incarnation), // A founder that nobody has heard is waited for no more.
                Health = Health.Dead,
                ChangedAt = now,
                Confirmed = true,
                IsReplaceable = true,
            });
            effects = effects.AddRange(died);
        }

        return (s, effects);
    }

    /// <summary>After an own pause: no late timeout counts, and everybody doubted gets the full time again.</summary>
    private static (MembershipState, Effects) Trust(MembershipState s, TimeSpan now)
    {
        var members = s.Members.All.Where(member => member.MissedAt is not null && !member.IsReplaceable)
            .Aggregate(s.Members, (all, member) => all.With(member with { MissedAt = now, AwaySince = now }));
        return (s with
        {
            Members = members,
            Probes = ImmutableSortedDictionary<ulong, Probe>.Empty,
            TrustUntil = now + s.Options.ProbeInterval * 2,
        }, []);
    }

    private static (MembershipState, Effects) SayGoodbye(MembershipState s, Health health, TimeSpan now) =>
        ProbeRound.TellAround(SayOfSelf(s, own => own with { Health = health }).State, now);

    private static (MembershipState State, Effects) SayOfSelf(MembershipState s, Func<Member, Member> change)
    {
        var own = change(s.Members.Own);
        own = own with
        {
            Incarnation = own.Incarnation + 1,
            IsReplaceable = own.Health is Health.Leaving or Health.Left,
        };
        return (Gossip.Tell(s with { Members = s.Members.With(own) }, own.Peer.Node), []);
    }
}
