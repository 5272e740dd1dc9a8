namespace ChordChat.Node.Discovery;

/// <summary>When to send the next beacon: often while nobody is found or just after a start, seldom later, soon when
/// somebody who is alone was heard.</summary>
/// <remarks>Times are of a clock that only goes forward: docs/operations.md#beacon.</remarks>
internal sealed class BeaconSchedule(TimeSpan startedAt, Random random)
{
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan SeldomMin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan SeldomMax = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromMilliseconds(500);
    private readonly TimeSpan _freshUntil = startedAt + FreshFor;
    private TimeSpan _lastSent = TimeSpan.MinValue;

    /// <summary>When the next beacon is due.</summary>
    public TimeSpan Due { get; private set; } = startedAt;

    public void Sent(TimeSpan now, bool alone)
    {
        _lastSent = now;
        Due = now + (alone || now < _freshUntil
            ? Often * (0.75 + random.NextDouble() / 2)
            : SeldomMin + (SeldomMax - SeldomMin) * random.NextDouble());
    }

    /// <summary>Brings the next beacon forward, at a random moment so that not all who heard answer at once.</summary>
    public void HeardLonely(TimeSpan now)
    {
        var soon = now + AnswerWithin * random.NextDouble();
        var earliest = _lastSent == TimeSpan.MinValue ? soon : _lastSent + Apart;
        var answer = soon > earliest ? soon : earliest;
        if (answer < Due)
            Due = answer;
    }
}
