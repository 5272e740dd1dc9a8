namespace ChordChat.Core.Ring;

/// <summary>What the host has to do after a step, in order.</summary>
public abstract record RingEffect
{
    private RingEffect() { }

    /// <summary>Ask for the ring state of <paramref name="To"/> (GetRing) and come back with Answered or
    /// AskTimedOut.</summary>
    public sealed record AskRing(ulong Nonce, Peer To) : RingEffect;

    /// <summary>Ask <paramref name="To"/> for a sign of life and come back with StillAlive or AskTimedOut.</summary>
    public sealed record AskAlive(ulong Nonce, Peer To) : RingEffect;

    /// <summary>Tell <paramref name="To"/> that this node believes to precede it (Notify); no answer is
    /// awaited.</summary>
    public sealed record Notify(Peer To) : RingEffect;

    /// <summary>The answer to the RingRead of this step.</summary>
    public sealed record Reveal(RingAnswer Answer) : RingEffect;

    /// <summary>Give StabilizeDue once, after a random wait of 10 ms to <see cref="Within"/>.</summary>
    public sealed record StabilizeSoon : RingEffect
    {
        public TimeSpan Within { get; init; } = TimeSpan.FromMilliseconds(100);
    }

    /// <summary><paramref name="Peer"/> did not answer: a hint for the failure detector, no verdict.</summary>
    public sealed record Unreachable(Peer Peer) : RingEffect;

    /// <summary>The node entered, lost or left the ring.</summary>
    public sealed record PhaseChanged(RingPhase Now) : RingEffect;
}
