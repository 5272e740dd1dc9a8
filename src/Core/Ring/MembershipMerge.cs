using Effects = System.Collections.Immutable.ImmutableArray<ChordChat.Core.Ring.MembershipEffect>;

namespace ChordChat.Core.Ring;

/// <summary>How what others say becomes what this node believes; docs/protocol.md, "Ring: membership cache".</summary>
internal static class MembershipMerge
{
    /// <summary>What others say of a member goes at most this far beyond the incarnation that it last named here
    /// itself: 256 starts.</summary>
    public const ulong StepMax = 256UL << MembershipState.StartBits;

    /// <summary>And no further than this for one that has named none here yet: far below what the wire takes, so that
    /// it can always answer with a larger one.</summary>
    public const ulong UnheardMax = 1UL << 60;

    /// <summary>Takes in every record that is newer than the one at hand.</summary>
    /// <param name="itself">What the other end of a connection says of itself, whose certificate has shown who it is
    /// and where on the circle it stands; null: nothing.</param>
    public static (MembershipState, Effects) All(
        MembershipState s, Member? itself, IEnumerable<Member> heard, TimeSpan now)
    {
        Effects effects = [];
        if (itself is not null)
            (s, effects) = One(s, itself, isItself: true, now);
        foreach (var member in heard)
        {
            (s, var more) = One(s, member, isItself: false, now);
            effects = more.IsEmpty ? effects : effects.AddRange(more);
        }

        return (s, effects);
    }

    /// <summary>Takes in one record if it is newer.</summary>
    private static (MembershipState, Effects) One(MembershipState s, Member heard, bool isItself, TimeSpan now)
    {
        if (!heard.WasHeard)
            return (s, []);
        if (heard.Peer == s.Members.Self)
            return Refute(s, heard, now);
        if (s.Denied.Contains(heard.Peer.Node))
            heard = heard with { Health = Health.Dead };
        if (isItself)
            s = MakePlace(s, heard.Peer);
        var known = s.Members[heard.Peer.Node];
        var rival = known is null ? s.Members.At(heard.Peer.Position)
            : known.Peer.Position != heard.Peer.Position ? known : null;
        if (rival is not null) // One of the two may be made up: whoever it is says where it stands.
            return rival is { WasHeard: true, Spoken: 0 } && rival.Peer != s.Members.Self
                ? ProbeRound.ProbeElsewhere(s, heard.Peer, now) : (s, []);
        return isItself ? HearItself(s, known, heard, now) : HearOthers(s, known, heard, now);
    }

    private static (MembershipState, Effects) HearItself(
        MembershipState s, Member? known, Member heard, TimeSpan now)
    {
        heard = heard with
        {
            Spoken = heard.Incarnation,
            MissedAt = null,
            AwaySince = heard.Health is Health.Left ? known?.AwaySince ?? now : null,
            IsReplaceable = heard.Health is Health.Leaving or Health.Left || s.Denied.Contains(heard.Peer.Node),
        };
        if (known is null)
            return Add(s, heard, now);
        if (known.IsOutdatedBy(heard) || known.Incarnation - heard.Incarnation > StepMax)
            return Take(s, known, heard, now);
        if (known.Spoken > heard.Spoken && known.Spoken - heard.Spoken <= StepMax)
            return (s, []); // It came late.
        var told = known with
        {
            Peer = heard.Peer,
            Spoken = heard.Spoken,
            AwaySince = heard.AwaySince,
            MissedAt = null,
            IsReplaceable = heard.IsReplaceable,
            KnownSince = IsDeadToThisNode(known) ? now : known.KnownSince, // It says next that it lives.
        };
        return told == known ? (s, [])
            : told.IsReachable != known.IsReachable || told.Peer.Address != known.Peer.Address || known.Spoken == 0
                ? Put(s, known, told)
            : (s with { Members = s.Members.With(told) }, []);
    }

    /// <summary>Of a member whose own last word is known others tell no number that it can hardly have by now, and no
    /// address: it is asked there itself. If they doubt it, it is asked too, at once.</summary>
    private static (MembershipState, Effects) HearOthers(
        MembershipState s, Member? known, Member heard, TimeSpan now)
    {
        heard = heard with
        {
            Spoken = known?.Spoken ?? 0,
            AwaySince = known?.AwaySince,
            MissedAt = known?.Incarnation == heard.Incarnation ? known.MissedAt : null,
            IsReplaceable = s.Denied.Contains(heard.Peer.Node) || (known is { IsReplaceable: true }
                && heard.Health is Health.Leaving or Health.Dead or Health.Left), // It had gone before.
        };
        if (known is not { Spoken: > 0 })
            return heard.Incarnation > UnheardMax ? (s, [])
                : known is null ? Add(s, heard, now) : HearOfSilent(s, known, heard, now);
        if (!known.IsOutdatedBy(heard) || heard.Incarnation > known.Spoken + StepMax)
            return (s, []);
        if (heard.Peer.Address != known.Peer.Address && heard.Health is not (Health.Dead or Health.Left))
            return ProbeRound.ProbeElsewhere(s, heard.Peer, now);
        (s, var effects) = Take(s, known, heard with { Peer = known.Peer }, now);
        (s, var asked) = ProbeRound.ProbeUnasked(s, known.Peer, now);
        return (s, effects.AddRange(asked));
    }

    /// <summary>Of a member that has not spoken here yet the newest that others say counts. If they name two addresses,
    /// it is asked at both: one of them may be made up.</summary>
    private static (MembershipState, Effects) HearOfSilent(
        MembershipState s, Member known, Member heard, TimeSpan now)
    {
        var (other, effects) = (heard.Peer, (Effects)[]);
        if (known.IsOutdatedBy(heard))
        {
            (s, effects) = Take(s, known, heard, now);
            other = known.Peer;
        }

        if (!known.WasHeard || known.Peer.Address == heard.Peer.Address)
            return (s, effects);
        (s, var asked) = ProbeRound.ProbeElsewhere(s, other, now);
        return (s, effects.AddRange(asked));
    }

    /// <summary>Whose certificate shows its position stands there: what others made up for it, or put in its place,
    /// goes.</summary>
    private static MembershipState MakePlace(MembershipState s, Peer proven)
    {
        foreach (var wrong in (Member?[])[s.Members[proven.Node], s.Members.At(proven.Position)])
            if (wrong is { WasHeard: true, Spoken: 0 } && wrong.Peer != s.Members.Self
                && (wrong.Peer.Node != proven.Node || wrong.Peer.Position != proven.Position))
                s = s with
                {
                    Members = s.Members.Without(wrong.Peer.Node),
                    Rumours = s.Rumours.Remove(wrong.Peer.Node),
                };
        return s;
    }

    /// <summary>Not only by what others say: its own probes found it silent.</summary>
    private static bool IsDeadToThisNode(Member known) =>
        known.Health is Health.Dead && (known.IsReplaceable || known.MissedAt is not null);

    private static (MembershipState, Effects) Take(
        MembershipState s, Member known, Member heard, TimeSpan now)
    {
        var back = known.WasHeard && (IsDeadToThisNode(known)
            || (known.Health is Health.Left && now - known.ChangedAt >= s.Options.Quarantine));
        return Put(s, known, heard with
        {
            KnownSince = back ? now : known.KnownSince,
            ChangedAt = heard.Health == known.Health ? known.ChangedAt : now,
            Confirmed = heard.Health is Health.Suspect or Health.Dead
                || (heard.Incarnation == known.Incarnation && known.Confirmed),
            Refuses = known.Refuses && heard.Health is not Health.Alive,
        });
    }

    /// <summary>Replaces a record, tells others, and says what happened.</summary>
    public static (MembershipState, Effects) Put(MembershipState s, Member? before, Member after)
    {
        var members = s.Members.With(after);
        if (ReferenceEquals(members, s.Members))
            return (s, []);
        s = Gossip.Tell(s with { Members = members }, after.Peer.Node);
        var effects = Events(before, after).Select(MembershipEffect (what) => new MembershipEffect.Happened(what));
        var ringCares = before is null || before.IsReachable != after.IsReachable
            || before.IsOnRecord != after.IsOnRecord || before.Peer.Address != after.Peer.Address;
        return (s, ringCares ? [.. effects, new MembershipEffect.CacheChanged()] : [.. effects]);
    }

    private static (MembershipState, Effects) Add(MembershipState s, Member heard, TimeSpan now)
    {
        if (s.Members.All.Length >= s.Options.MembersMax)
            return (s, [new MembershipEffect.Happened(new MembershipEvent.NoRoom(heard))]);
        var settled = now - s.StartedAt < s.Options.Quarantine;
        return Put(s, null, heard with
        {
            KnownSince = settled ? s.StartedAt - s.Options.Quarantine : now,
            ChangedAt = now,
            Confirmed = heard.Health is Health.Suspect or Health.Dead,
            Refuses = false,
        });
    }

    /// <summary>A member that hears itself doubted says that it lives, with a larger incarnation.</summary>
    /// <remarks>Others can only repeat its own incarnations. One ahead of them is made up, or it is from before the
    /// folder was restored: followed, or it could not refute what others believe, but by a step in a probe interval in
    /// all, or it could be driven to the largest number. The amount is bounded, not the count: else one that lies would
    /// use up every chance to refute.</remarks>
    private static (MembershipState, Effects) Refute(MembershipState s, Member heard, TimeSpan now)
    {
        var own = s.Members.Own;
        if (!own.IsOutdatedBy(heard))
            return (s, []);
        Effects effects = [];
        if (heard.Incarnation > own.Incarnation)
        {
            if (now - s.SeenAheadAt >= s.Options.ProbeInterval)
            {
                s = s with { SeenAheadAt = now, SeenAheadFrom = own.Incarnation };
                effects = [new MembershipEffect.Happened(new MembershipEvent.OwnIdSeenAhead(heard))];
            }

            if (heard.Incarnation - s.SeenAheadFrom > StepMax)
                return (s, effects);
        }

        var larger = own with { Incarnation = heard.Incarnation + 1 };
        return (Gossip.Tell(s with { Members = s.Members.With(larger) }, own.Peer.Node), effects);
    }

    private static IEnumerable<MembershipEvent> Events(Member? before, Member after)
    {
        var was = before is { WasHeard: true } ? before.Health : (Health?)null;
        var isFirstWord = after.Spoken > 0 && before is not { WasHeard: true, Spoken: > 0 };
        if (isFirstWord && after.Health is Health.Alive or Health.Suspect or Health.Dead) // It is there.
            yield return new MembershipEvent.Joined(after);
        else if (was != after.Health)
            switch (after.Health)
            {
                case Health.Alive when was is null or Health.Left:
                    yield return new MembershipEvent.Joined(after);
                    break;
                case Health.Alive: yield return new MembershipEvent.AliveAgain(after); break;
                case Health.Suspect when was is not null: yield return new MembershipEvent.Suspected(after); break;
                case Health.Leaving: yield return new MembershipEvent.Leaving(after); break;
                case Health.Dead when was is not null: yield return new MembershipEvent.Died(after); break;
                case Health.Left when was is not null: yield return new MembershipEvent.Left(after); break;
            }

        if (!isFirstWord && before is { WasHeard: true } && before.Peer.Address != after.Peer.Address)
            yield return new MembershipEvent.AddressChanged(after, before.Peer.Address);
    }
}
