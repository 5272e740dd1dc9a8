using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Base;

/// <summary>The newest things that happened in the cluster as this node saw them, for pages. Safe for
/// threads.</summary>
internal sealed class EventLog(TimeProvider time)
{
    private const int KeptMax = 200;
    private readonly Lock _turn = new();
    private readonly Queue<ClusterEvent> _events = new();
    private ulong _last;

    public IReadOnlyList<ClusterEvent> Newest
    {
        get
        {
            lock (_turn)
                return [.. _events];
        }
    }

    public void Add(MembershipEvent happened)
    {
        if (KindOf(happened) is { } kind)
            Add(kind, happened.Member.ProvenName, TextOf(happened));
    }

    /// <param name="members">Names, the owner first.</param>
    public void AddMoved(TileId tile, ulong epoch, IReadOnlyList<string> members) =>
        Add("tile_moved", members[0], $"tile {tile} is kept by {string.Join(", ", members)} (epoch {epoch})");

    public static string TextOf(MembershipEvent happened)
    {
        var (name, address) = (happened.Member.ProvenName, happened.Member.Peer.Address);
        return happened switch
        {
            MembershipEvent.Joined => $"{name} joined at {address}",
            MembershipEvent.Suspected => $"{name} does not answer",
            MembershipEvent.AliveAgain => $"{name} answers again",
            MembershipEvent.Died => $"{name} has not answered for a long time: its tiles are given to others",
            MembershipEvent.Leaving => $"{name} is about to leave",
            MembershipEvent.Left => $"{name} left",
            MembershipEvent.AddressChanged changed => $"{name} moved from {changed.Before} to {address}",
            MembershipEvent.OwnIdSeenAhead =>
                "others know a later start of this node: its folder was copied or restored",
            _ => $"{name}: {happened.GetType().Name}",
        };
    }

    private static string? KindOf(MembershipEvent happened) => happened switch
    {
        MembershipEvent.Joined => "joined",
        MembershipEvent.Suspected or MembershipEvent.Died => "suspected",
        MembershipEvent.AliveAgain => "alive",
        MembershipEvent.Leaving or MembershipEvent.Left => "left",
        MembershipEvent.AddressChanged => "moved",
        _ => null,
    };

    /// <param name="node">The name of the node that it is about.</param>
    public void Add(string kind, string node, string text)
    {
        lock (_turn)
        {
            _events.Enqueue(new(++_last, time.GetUtcNow(), kind, node, text));
            if (_events.Count > KeptMax)
                _events.Dequeue();
        }
    }
}

/// <summary>One line of the event list.</summary>
internal sealed record ClusterEvent(ulong Number, DateTimeOffset At, string Kind, string Node, string Text);
