using System.Security.Cryptography;
using ChordChat.Core.Ring;

namespace ChordChat.Node.Identity;

/// <summary>Chooses salts so that nodes stand well apart on the circle and their shares of the keys are
/// alike.</summary>
/// <remarks>The authority may choose; a node may not, which is what the salt is for.</remarks>
internal static class Positions
{
    private const int Tries = 512;

    /// <summary>The best of many random salts: the one whose point is nearest to <paramref name="wanted"/>.</summary>
    public static byte[] SaltNear(ReadOnlySpan<byte> cluster, NodeId node, RingId wanted)
    {
        var best = RandomNumberGenerator.GetBytes(NodeCertificate.SaltBytes);
        for (var i = 0; i < Tries; i++)
        {
            var salt = RandomNumberGenerator.GetBytes(NodeCertificate.SaltBytes);
            if (Apart(RingId.OfNode(cluster, node, salt), wanted) < Apart(RingId.OfNode(cluster, node, best), wanted))
                best = salt;
        }

        return best;
    }

    /// <summary>Point <paramref name="i"/> of <paramref name="count"/> that cut the circle evenly.</summary>
    public static RingId Even(int i, int count) =>
        new(unchecked(UInt128.MaxValue / (UInt128)count * (UInt128)i + UInt128.MaxValue / (UInt128)(2 * count)));

    /// <summary>The middle of the widest arc between those who are there.</summary>
    public static RingId WidestGap(IReadOnlyList<RingId> taken)
    {
        if (taken.Count == 0)
            return Even(0, 1);
        var sorted = taken.Order().ToArray();
        var (start, length) = sorted
            .Select((point, i) => (point, length: point.DistanceTo(sorted[(i + 1) % sorted.Length])))
            .Select(arc => arc.length == 0 ? (arc.point, UInt128.MaxValue) : arc) // A single node: the whole circle.
            .MaxBy(arc => arc.Item2);
        return new(unchecked(start.Value + length / 2));
    }

    private static UInt128 Apart(RingId a, RingId b) => UInt128.Min(a.DistanceTo(b), b.DistanceTo(a));
}
