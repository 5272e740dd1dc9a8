using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Identity;

/// <summary>What was agreed when the cluster was made, and never changes: signed by its authority, held by every
/// node.</summary>
/// <remarks>All tiles start at epoch 1 with members that follow from the founders alone, so nobody founds a ring at run
/// time and two starts can never make two clusters.</remarks>
internal sealed record Genesis
{
    public const int ClusterBytes = 16;

    /// <summary>16 bytes that follow from the authority's key; part of every position, certificate and sealed
    /// message.</summary>
    public required ImmutableArray<byte> Cluster { get; init; }

    /// <summary>Clockwise from the start of the circle.</summary>
    public required ImmutableArray<Founder> Founders { get; init; }

    /// <summary>K: how many successors of a key's owner keep copies, so K + 1 nodes have everything.</summary>
    public int BackupCount { get; init; } = 2;

    /// <summary>The circle is cut into 2^TileBits tiles.</summary>
    public int TileBits { get; init; } = 7;

    public SessionPolicy Policy { get; init; } = SessionPolicy.Takeover;

    /// <summary>A demo cluster accepts short passwords; never for real conversations.</summary>
    public bool Demo { get; init; }

    public DateTimeOffset Created { get; init; }

    /// <summary>The first 8 hex digits of the cluster's id: enough for a person to tell two clusters apart.</summary>
    public string ShortName => Convert.ToHexStringLower(Cluster.AsSpan()[..4]);

    public string ClusterHex => Convert.ToHexStringLower(Cluster.AsSpan());
}

/// <summary>A node that was there from the start.</summary>
/// <param name="Salt">From the authority; binds <paramref name="Position"/> to <paramref name="Node"/>.</param>
internal sealed record Founder(string Name, NodeId Node, RingId Position, ImmutableArray<byte> Salt);
