namespace ChordChat.Core.Chat;

/// <summary>How much mail waits for one user before more is refused.</summary>
public static class MailboxLimits
{
    public const int MessageCountMax = 10_000;
    public const long BytesMax = 64L * 1024 * 1024;

    /// <summary>Mail that nobody fetched for this long is dropped.</summary>
    public static readonly TimeSpan AgeMax = TimeSpan.FromDays(30);

    /// <summary>Whether one more message fits into a mailbox that holds so many messages and bytes.</summary>
    public static bool HasRoom(int messageCount, long bytes, int nextBytes) =>
        messageCount < MessageCountMax && bytes + nextBytes <= BytesMax;
}
