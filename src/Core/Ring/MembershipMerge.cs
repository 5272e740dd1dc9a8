using Effects = System.Collections.Immutable.ImmutableArray<ChordChat.Core.Ring.MembershipEffect>;

namespace ChordChat.Core.Ring;

/// <summary>How what others say becomes what this node believes; docs/protocol.md, "Ring: membership cache".</summary>
internal static class MembershipMerge
{
    /// <summary>Takes in every record that is newer than the one at hand.</summary>
    public static (MembershipState, Effects) All(MembershipState s, IEnumerable<Member> heard, TimeSpan now)
    {
        Effects effects = [];
        foreach (var member in heard)
        {
            (s, var more) = One(s, member, now);
            effects = effects.AddRange(more);
        }

        return (s, effects);
    }

    /// <summary>Takes in one record if it is newer.</summary>
    public static (MembershipState, Effects) One(MembershipState s, Member heard, TimeSpan now)
    {
        if (!heard.WasHeard)
            return (s, []);
        if (heard.Peer == s.Members.Self)
            return Refute(s, heard);
        var isDenied = s.Denied.Contains(heard.Peer.Node);
        if (isDenied)
            heard = heard with { Health = Health.Dead };
        if (s.Members[heard.Peer.Node] is not { } known)
            return Add(s, heard, now);
        if (!known.IsOutdatedBy(heard) || known.Peer.Position != heard.Peer.Position)
            return (s, []);
        var back = known.WasHeard && (known.Health is Health.Dead
            || (known.Health is Health.Left && now - known.ChangedAt >= s.Options.Quarantine));
        return Put(s, known, heard with
        {
            KnownSince = back ? now : known.KnownSince,
            ChangedAt = heard.Health == known.Health ? known.ChangedAt : now,
            Confirmed = isDenied || heard.Health == Health.Suspect
                || (heard.Health == Health.Dead && known.Confirmed),
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
            Confirmed = heard.Health == Health.Suspect || s.Denied.Contains(heard.Peer.Node),
        });
    }

    /// <summary>A member that hears itself doubted says that it lives, with a larger incarnation.</summary>
    private static (MembershipState, Effects) Refute(MembershipState s, Member heard)
    {
        var own = s.Members.Own;
        if (!own.IsOutdatedBy(heard))
            return (s, []);
        var larger = own with { Incarnation = heard.Incarnation + 1 };
        s = Gossip.Tell(s with { Members = s.Members.With(larger) }, own.Peer.Node);
        return (s, heard.Incarnation == own.Incarnation
            ? [] : [new MembershipEffect.Happened(new MembershipEvent.OwnIdSeenAhead(heard))]);
    }

    private static IEnumerable<MembershipEvent> Events(Member? before, Member after)
    {
        var was = before is { WasHeard: true } ? before.Health : (Health?)null;
        if (was != after.Health)
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

        if (before is { WasHeard: true } && before.Peer.Address != after.Peer.Address)
            yield return new MembershipEvent.AddressChanged(after, before.Peer.Address);
    }
}
