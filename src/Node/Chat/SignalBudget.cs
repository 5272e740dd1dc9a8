namespace ChordChat.Node.Chat;

/// <summary>How many signals that nobody keeps one session takes in a minute: of one sender, and in all. A mailbox
/// bounds what it keeps; without this nothing would bound them.</summary>
/// <remarks>docs/protocol.md#signals. Not safe for threads.</remarks>
internal sealed class SignalBudget(TimeProvider time)
{
    public const int PerSenderMax = 60;
    public const int Max = 600;

    /// <summary>A signal is short: two sealed keys and a few words.</summary>
    public const int BytesMax = 4 << 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, int> _ofSenders = [];
    private long? _startedAt;
    private int _count;

    /// <summary>Counts one signal. False, without counting it, if there were too many.</summary>
    public bool Takes(string from)
    {
        if (_startedAt is not { } started || time.GetElapsedTime(started) >= Window)
        {
            (_startedAt, _count) = (time.GetTimestamp(), 0);
            _ofSenders.Clear();
        }

        var ofSender = _ofSenders.GetValueOrDefault(from);
        if (_count >= Max || ofSender >= PerSenderMax)
            return false;
        _count++;
        _ofSenders[from] = ofSender + 1;
        return true;
    }
}
