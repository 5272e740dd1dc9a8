using ChordChat.Core.Ring;

namespace ChordChat.Node.Ring;

/// <summary>One thing for the ring's loop to do.</summary>
internal abstract record RingWork
{
    private RingWork() { }

    /// <summary>For the log.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Whoever waits for the answer gets none.</summary>
    public virtual void Drop(Exception fault) { }

    /// <param name="Answer">Gets what the step reveals, for reads.</param>
    public sealed record OnRing(RingInput Input, TaskCompletionSource<RingAnswer>? Answer = null) : RingWork
    {
        public override string Name => Input.GetType().Name;

        public override void Drop(Exception fault) => Answer?.TrySetException(fault);
    }

    /// <param name="Make">Gets the loop's time.</param>
    /// <param name="Answer">Gets the reply of the step, for probes.</param>
    public sealed record OnMembers(
        Func<TimeSpan, MembershipInput> Make, TaskCompletionSource<MembershipEffect.Reply>? Answer = null) : RingWork
    {
        public override void Drop(Exception fault) => Answer?.TrySetException(fault);
    }

    public sealed record ProbeDue : RingWork;

    /// <param name="Owner">Of the finger that was looked up; null when the lookup failed.</param>
    public sealed record FingerFound(Peer? Owner) : RingWork;
}
