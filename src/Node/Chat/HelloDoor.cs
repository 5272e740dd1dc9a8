using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Chat;

/// <summary>What clients may do here that have not shown yet who they are: so many may think about the challenge, and
/// so many hellos of an address block in a minute may turn out to be nobody's. Safe for threads.</summary>
/// <remarks>docs/security.md, "Places of strangers" and "Names".</remarks>
internal sealed partial class HelloDoor(ChatOptions options, ChatClock clock, ILogger<HelloDoor> logger)
{
    private const int KnownMax = 10_000;

    private readonly FairPlaces _places = new(
        options.UnprovenPerAddressMax, options.UnprovenMax, options.HelloTimeout / 2, clock.Time);

    /// <summary>Whoever waits for a turn has a place, so nothing else bounds the lines.</summary>
    private readonly FairTurns<string> _turns = new(
        options.JudgedPerAddressMax, options.JudgedMax, waitingMax: int.MaxValue);

    private readonly Lock _turn = new();
    private readonly AddressThrottle _failures = new(options.FailedHellosPerAddressMax);
    private readonly HashSet<(string Block, string User)> _known = [];
    private readonly LineBudget _lines = new(1);

    /// <returns>To be disposed of when the hello is judged; null when there is no room.</returns>
    public FairPlaces.Place? TryEnter(IPAddress? address) => _places.TryEnter(address);

    /// <summary>Waits until a hello from there may be judged. Whoever waits still makes room for newcomers.</summary>
    /// <returns>To be disposed of when the hello is judged.</returns>
    public async ValueTask<IDisposable> TurnAsync(IPAddress? address, CancellationToken cancellation) =>
        (await _turns.TakeAsync(AddressBlock.Of(address), cancellation))!;

    /// <returns>How long to wait before a hello as this user is judged; zero to go on. Who has been let in from this
    /// block before never waits.</returns>
    public TimeSpan Wait(IPAddress? address, string user)
    {
        var block = AddressBlock.Of(address);
        TimeSpan wait;
        lock (_turn)
            wait = _known.Contains((block, user)) ? TimeSpan.Zero : _failures.Wait(block, clock.Steady);
        if (wait > TimeSpan.Zero && _lines.Allows(clock.Steady, out var unsaid))
            LogTooMany(block, unsaid);
        return wait;
    }

    public void Judged(IPAddress? address, string user, OpenOutcome outcome)
    {
        var block = AddressBlock.Of(address);
        lock (_turn)
            switch (outcome)
            {
                case OpenOutcome.Refused({ Reason: SessionEndReason.Refused }):
                    _failures.Failed(block, clock.Steady);
                    break;
                case OpenOutcome.Opened or OpenOutcome.Proved:
                    if (_known.Count >= KnownMax)
                        _known.Clear();
                    _known.Add((block, user));
                    break;
            }
    }

    [LoggerMessage(5046, LogLevel.Warning,
        "Too many hellos from {Block} had no valid signature; no more are checked for a minute ({Unsaid} more were "
        + "turned away since the last line)")]
    private partial void LogTooMany(string block, long unsaid);
}
