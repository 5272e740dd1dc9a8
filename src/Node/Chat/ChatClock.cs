namespace ChordChat.Node.Chat;

/// <summary>The two times that the chat tells: one that only goes forward, for leases, and the calendar's.</summary>
internal sealed class ChatClock(TimeProvider time)
{
    public TimeProvider Time => time;

    /// <summary>Milliseconds since some moment in the past; never goes back.</summary>
    public long Steady => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Unix time in milliseconds.</summary>
    public long Unix => time.GetUtcNow().ToUnixTimeMilliseconds();
}
