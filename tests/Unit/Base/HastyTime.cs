namespace ChordChat.Tests.Unit.Base;

/// <summary>Its clock stands still, and nobody waits.</summary>
internal sealed class HastyTime : TimeProvider
{
    public override long GetTimestamp() => 0;

    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, TimeSpan.Zero, period);
}
