using System.Globalization;
using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Hosting;

namespace ChordChat.Node.Chat;

/// <summary>What clients may do here that have not shown yet who they are: so many may think about the challenge, so
/// many hellos of an address block in a minute may turn out to be nobody's, and a user's device may say so many. Safe
/// for threads.</summary>
/// <remarks>docs/security.md, "Places of strangers" and "Names".</remarks>
internal sealed partial class HelloDoor(ChatOptions options, ChatClock clock, ILogger<HelloDoor> logger)
{
    private const int KnownMax = 10_000;

    /// <summary>Hellos as one user in a minute that no device of theirs signed: of all blocks together from which the
    /// user was never let in, and of each other block.</summary>
    public const int FailedPerUserMax = 300;

    /// <summary>Of users past that limit so many hellos are judged at once, each for this long: 20 a second.</summary>
    private const int SlowMax = 4;
    private const int SlowWaitingMax = 16;
    private static readonly TimeSpan SlowPause = TimeSpan.FromMilliseconds(200);

    private readonly FairPlaces _places = new(
        options.UnprovenPerAddressMax, options.UnprovenMax, options.HelloTimeout / 2, clock.Time);

    /// <summary>Whoever waits for a turn has a place, so nothing else bounds the lines.</summary>
    private readonly FairTurns<string> _turns = new(
        options.JudgedPerAddressMax, options.JudgedMax, waitingMax: int.MaxValue);

    private readonly FairTurns<string> _slowTurns = new(perHolderMax: 1, SlowMax, SlowWaitingMax);
    private readonly Lock _turn = new();
    private readonly AddressThrottle _failures = new(options.FailedHellosPerAddressMax);
    private readonly AddressThrottle _failuresOfUsers = new(FailedPerUserMax);
    private readonly AddressThrottle _signed = new(options.HellosPerUserMax);
    private readonly HashSet<(string Block, string User)> _known = [];
    private readonly LineBudget _lines = new(1);

    /// <returns>To be disposed of when the hello is judged; null when there is no room.</returns>
    public FairPlaces.Place? TryEnter(IPAddress? address) => _places.TryEnter(address);

    /// <summary>Waits until a hello from there may be judged. Whoever waits still makes room for newcomers.</summary>
    /// <returns>To be disposed of when the hello is judged.</returns>
    public async ValueTask<IDisposable> TurnAsync(IPAddress? address, CancellationToken cancellation) =>
        (await _turns.TakeAsync(AddressBlock.OfSite(address), cancellation))!;

    /// <summary>Waits until a hello as a user for whom too many have failed may be judged: the address blocks take
    /// turns, and all together have so many turns a second.</summary>
    /// <returns>False: too many of this block wait already.</returns>
    public async ValueTask<bool> SlowTurnAsync(IPAddress? address, CancellationToken cancellation)
    {
        if (await _slowTurns.TakeAsync(AddressBlock.OfSite(address), cancellation) is not { } turn)
            return false;
        _ = EndAsync(turn);
        return true;

        async Task EndAsync(IDisposable taken)
        {
            using (taken)
                await Task.Delay(SlowPause, clock.Time, CancellationToken.None);
        }
    }

    /// <returns>How long to wait before a hello as this device of the user is judged; zero to go on. Who has been let
    /// in from this block before does not wait for strangers.</returns>
    public HelloWait Wait(IPAddress? address, string user, uint epoch)
    {
        var block = AddressBlock.Of(address);
        TimeSpan signed, failed, failedAsUser;
        lock (_turn)
        {
            signed = _signed.Wait(DeviceOf(user, epoch), clock.Steady);
            failed = _known.Contains((block, user)) ? TimeSpan.Zero : _failures.Wait(block, clock.Steady);
            failedAsUser = _failuresOfUsers.Wait(FailureOf(block, user), clock.Steady);
        }

        if ((failed > TimeSpan.Zero || failedAsUser > TimeSpan.Zero) && _lines.Allows(clock.Steady, out var unsaid))
            LogTooMany(block, unsaid);
        return signed > TimeSpan.Zero ? new(signed, HelloLimit.OfDevice)
            : failed > TimeSpan.Zero ? new(failed, HelloLimit.OfBlock)
            : failedAsUser > TimeSpan.Zero ? new(failedAsUser, HelloLimit.OfUser)
            : default;
    }

    public void Judged(IPAddress? address, string user, uint epoch, OpenOutcome outcome)
    {
        var block = AddressBlock.Of(address);
        lock (_turn)
            switch (outcome)
            {
                case OpenOutcome.Refused({ Reason: SessionEndReason.Refused }):
                    _failures.Failed(block, clock.Steady);
                    _failuresOfUsers.Failed(FailureOf(block, user), clock.Steady);
                    break;
                case OpenOutcome.Refused({ Reason: SessionEndReason.TakenOver }): // A device that was replaced.
                    _signed.Failed(DeviceOf(user, epoch), clock.Steady);
                    break;
                case OpenOutcome.Opened or OpenOutcome.Proved:
                    _signed.Failed(DeviceOf(user, epoch), clock.Steady);
                    if (_known.Count >= KnownMax)
                        _known.Clear();
                    _known.Add((block, user));
                    break;
            }
    }

    /// <summary>Names of users have no blank, so these are never mistaken for each other. What is no name at all, and
    /// may be long, is remembered as one.</summary>
    private string FailureOf(string block, string user) =>
        !UserName.IsValid(user) ? "" : _known.Contains((block, user)) ? $"{user} {block}" : user;

    /// <summary>Each device has its own count, so one that was replaced uses up nothing of the newest's.</summary>
    private static string DeviceOf(string user, uint epoch) =>
        UserName.IsValid(user) ? string.Create(CultureInfo.InvariantCulture, $"{user} {epoch}") : "";

    [LoggerMessage(5046, LogLevel.Warning,
        "Too many hellos from {Block} had no valid signature; for a minute no more are checked, or slowly if "
        + "they are of many networks ({Unsaid} more since the last line)")]
    private partial void LogTooMany(string block, long unsaid);
}

/// <param name="Limit">What was reached; nothing if there is nothing to wait for.</param>
internal readonly record struct HelloWait(TimeSpan Wait, HelloLimit Limit);

internal enum HelloLimit
{
    None = 0,

    /// <summary>Good hellos of one device.</summary>
    OfDevice = 1,

    /// <summary>Failed hellos of one address block.</summary>
    OfBlock = 2,

    /// <summary>Failed hellos as one user. They are judged all the same, but slowly: their device did not say them.
    /// </summary>
    OfUser = 3,
}
