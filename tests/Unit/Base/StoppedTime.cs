namespace ChordChat.Tests.Unit.Base;

/// <summary>Whoever waits waits for ever: nothing happens in a loop but what a test gives it.</summary>
internal sealed class StoppedTime : TimeProvider
{
    public override long GetTimestamp() => 0;

    public override ITimer CreateTimer(
        TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
}
