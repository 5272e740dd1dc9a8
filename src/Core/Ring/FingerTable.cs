using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>Shortcuts: finger i is the successor of self + 2^i, as far as known. A hint for lookups, never for
/// safety.</summary>
/// <remarks>docs/protocol.md, "Ring: fingers". Immutable. Entries that would be this node itself are empty.</remarks>
public sealed record FingerTable
{
    public required RingId Self { get; init; }

    public ImmutableArray<Peer?> Fingers { get; init; } = [.. new Peer?[RingId.Bits]];

    /// <summary>The finger to refresh next.</summary>
    public int Next { get; init; }

    public static FingerTable Of(Peer self) => new() { Self = self.Position };

    /// <summary>The point whose successor <see cref="Fix"/> wants next.</summary>
    public RingId NextStart => Self.FingerStart(Next);

    /// <summary>Takes the owner of <see cref="NextStart"/> as the finger, and as every further finger that starts
    /// before it.</summary>
    public FingerTable Fix(Peer owner)
    {
        var fingers = Fingers.ToBuilder();
        var reach = Self.DistanceTo(owner.Position);
        var isSelf = reach == 0;
        var i = Next;
        do
            fingers[i++] = isSelf ? null : owner;
        while (i < RingId.Bits && (isSelf || UInt128.One << i <= reach));
        return this with { Fingers = fingers.MoveToImmutable(), Next = i % RingId.Bits };
    }

    /// <summary>Leaves the finger as it is, because the lookup failed, and goes on to the next.</summary>
    public FingerTable Skip() => this with { Next = (Next + 1) % RingId.Bits };

    /// <summary>The table without a peer that left or died.</summary>
    public FingerTable Without(Peer gone) => !Fingers.Contains(gone) ? this
        : this with { Fingers = [.. Fingers.Select(finger => finger == gone ? null : finger)] };

    /// <summary>Each peer once, with the largest i that it serves.</summary>
    public IEnumerable<(int Index, Peer Peer)> Distinct()
    {
        for (var i = RingId.Bits - 1; i >= 0; i--)
            if (Fingers[i] is { } peer && (i == RingId.Bits - 1 || Fingers[i + 1] != peer))
                yield return (i, peer);
    }
}
