using System.Collections.Immutable;

namespace ChordChat.Core.Ring;

/// <summary>What can happen to the ring layer of one node. Timers are inputs; there is no clock.</summary>
public abstract record RingInput
{
    private RingInput() { }

    /// <summary>The stabilize timer, or the short wait after <see cref="RingEffect.StabilizeSoon"/>.</summary>
    public sealed record StabilizeDue : RingInput;

    /// <summary>Somebody asks for the ring state (GetRing); answered at once by
    /// <see cref="RingEffect.Reveal"/>.</summary>
    public sealed record RingRead : RingInput;

    /// <summary><paramref name="From"/> believes that it precedes this node (Notify). It lives: it just
    /// spoke.</summary>
    public sealed record Notified(Peer From) : RingInput;

    /// <summary>The answer to <see cref="RingEffect.AskRing"/>.</summary>
    public sealed record Answered(ulong Nonce, RingAnswer Answer) : RingInput;

    /// <summary>The answer to <see cref="RingEffect.AskAlive"/>.</summary>
    public sealed record StillAlive(ulong Nonce) : RingInput;

    /// <summary>No answer in time to either question.</summary>
    public sealed record AskTimedOut(ulong Nonce) : RingInput;

    /// <summary>The node that <see cref="RingEffect.AskRing"/> named is there but has too many calls of this node: it
    /// is asked again next time.</summary>
    public sealed record AskRefused(ulong Nonce) : RingInput;

    /// <summary>The membership cache changed.</summary>
    /// <param name="Live">The other members that are reachable as far as known, with their newest addresses.</param>
    /// <param name="Count">N: members on record, this node included.</param>
    /// <param name="Gone">Members that left on purpose or were declared dead.</param>
    public sealed record MembersKnown(ImmutableArray<Peer> Live, int Count, ImmutableArray<NodeId> Gone) : RingInput;

    /// <summary>The ring was found broken (docs/protocol.md, "Ring: audit"): look for this node's place anew.</summary>
    public sealed record AuditFailed : RingInput;

    /// <summary>This process was paused: what its timers say about others means nothing.</summary>
    public sealed record Paused : RingInput;

    /// <summary>This node goes away on purpose.</summary>
    public sealed record LeaveDue : RingInput;
}
