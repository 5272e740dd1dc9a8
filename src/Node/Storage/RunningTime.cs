using System.Globalization;
using ChordChat.Core.Tiles;

namespace ChordChat.Node.Storage;

/// <summary>This node's own time, which no clock setting changes: it goes on while the process runs and stands still
/// while it does not. Only for the thread that writes.</summary>
/// <remarks>docs/protocol.md#tombstones. What was not saved yet is lost with the process, so it is never
/// ahead.</remarks>
internal sealed class RunningTime
{
    private const string Ran = "ran_ms";
    private const string Seen = "seen_ms";

    /// <summary>More than this between two looks at the clock was a pause.</summary>
    private static readonly TimeSpan StepMax = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan SaveEvery = TimeSpan.FromMinutes(5);

    private readonly NodeDatabase _database;
    private readonly TimeProvider _time;
    private long _ranMs;
    private long _savedMs;
    private long _last;
    private long _seenMs;
    private long _seenBeforeMs;

    public RunningTime(NodeDatabase database, TimeProvider time)
    {
        (_database, _time, _last) = (database, time, time.GetTimestamp());
        _ranMs = Number(Ran) ?? 0;
        _savedMs = _ranMs - (long)SaveEvery.TotalMilliseconds; // The first look is saved.
        _seenMs = Number(Seen) ?? UnixMs;
    }

    /// <summary>How long this node had been off, or paused, before it was last asked for <see cref="Now"/>, by the
    /// calendar.</summary>
    public TimeSpan Away { get; private set; }

    private long UnixMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Call at least every other minute, inside a transaction: now and then it saves what it says.</summary>
    public ReplicaTime Now()
    {
        var now = _time.GetTimestamp();
        var step = _time.GetElapsedTime(_last, now);
        _last = now;
        _ranMs += (long)(step < StepMax ? step : StepMax).TotalMilliseconds;
        var unixMs = UnixMs;
        Away = TimeSpan.FromMilliseconds(Math.Max(0, unixMs - _seenMs));
        (_seenBeforeMs, _seenMs) = (_seenMs, unixMs);
        if (_ranMs - _savedMs >= SaveEvery.TotalMilliseconds || Away >= SaveEvery)
            Save();
        return new ReplicaTime(_ranMs, unixMs);
    }

    /// <summary>The transaction of the last <see cref="Now"/> was undone, and with it whatever followed from
    /// <see cref="Away"/>.</summary>
    public void Undone() => (_seenMs, _savedMs) = (_seenBeforeMs, _ranMs - (long)SaveEvery.TotalMilliseconds);

    private void Save()
    {
        _savedMs = _ranMs;
        _database.SetMeta(Ran, _ranMs.ToString(CultureInfo.InvariantCulture));
        _database.SetMeta(Seen, _seenMs.ToString(CultureInfo.InvariantCulture));
    }

    private long? Number(string key) =>
        _database.Meta(key) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;
}
