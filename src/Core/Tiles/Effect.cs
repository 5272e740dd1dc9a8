using ChordChat.Core.Ring;
using ChordChat.Core.Tiles.Sets;

namespace ChordChat.Core.Tiles;

/// <summary>What a coordinator wants its host to do.</summary>
public abstract record Effect
{
    private Effect() { }

    /// <summary>Ask a replica, this node's own included; hand the reply back together with the request.</summary>
    public sealed record Send(NodeId To, ReplicaRequest Request) : Effect;

    /// <summary>Call OnTimeout after the delay. Replaces the timer set before; a finished coordinator has
    /// none.</summary>
    public sealed record SetTimer(TimeSpan Delay) : Effect;

    /// <summary>A newer configuration was heard of: remember it as a hint.</summary>
    public sealed record Learned(TileConfiguration Newest, TileConfiguration? Previous) : Effect;

    /// <summary>Messages of a scan, each id once; more may follow.</summary>
    public sealed record Deliver(IReadOnlyList<SetMessage> Messages) : Effect;
}
