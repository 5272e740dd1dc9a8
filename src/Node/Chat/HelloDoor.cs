using System.Globalization;
using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Base;

namespace ChordChat.Node.Chat;

/// <summary>Limits for clients that have not proved who they are: how many may be answering the challenge, how many
/// hellos of an address block may fail in a minute, and how many good hellos a device may send. Safe for threads.
/// </summary>
/// <remarks>docs/security.md, "Places of strangers" and "Names".</remarks>
internal sealed partial class HelloDoor
{
    public const int KnownMax = 10_000;

    /// <summary>Hellos as one user in a minute that no device of theirs signed: of all blocks together from which the
    /// user was never let in, and of each other block.</summary>
    public const int FailedPerUserMax = 300;

    /// <summary>Hellos as one user from one block that are judged at once: each holds that user's account.</summary>
    public const int JudgedPerUserMax = 8;

    /// <summary>Turns for users past that limit, each held for <see cref="SlowPause"/>: 20 hellos a second.</summary>
    private const int SlowMax = 4;
    private const int SlowWaitingMax = 16;
    private static readonly TimeSpan SlowPause = TimeSpan.FromMilliseconds(200);

    private readonly ChatClock _clock;
    private readonly ILogger _logger;
    private readonly FairPlaces _places;
    private readonly FairTurns<string> _turns;
    private readonly FairTurns<string> _slowTurns;
    private readonly FairTurns<(string Block, string User)> _userTurns;
    private readonly Lock _turn = new();
    private readonly AddressThrottle _failures;
    private readonly AddressThrottle _failuresOfUsers = new(FailedPerUserMax);
    private readonly AddressThrottle _signed;
    private readonly HashSet<(string Block, string User)> _known = [];
    private readonly Queue<(string Block, string User)> _knownInOrder = new();
    private readonly LineBudget _lines = new(1);

    public HelloDoor(ChatOptions options, ChatClock clock, ILogger<HelloDoor> logger)
    {
        (_clock, _logger) = (clock, logger);
        _places = new(options.UnprovenPerAddressMax, options.UnprovenMax, options.HelloTimeout / 2, clock.Time);
        // Whoever waits for a turn has a place, so nothing else bounds the lines.
        _turns = new(options.JudgedPerAddressMax, options.JudgedMax, waitingMax: int.MaxValue);
        _userTurns = new(JudgedPerUserMax, max: int.MaxValue, waitingMax: int.MaxValue);
        _slowTurns = new(perHolderMax: 1, SlowMax, SlowWaitingMax, FailuresOf);
        _failures = new(options.FailedHellosPerAddressMax);
        _signed = new(options.HellosPerUserMax);
    }

    /// <returns>To be disposed of when the hello is judged; null when there is no room.</returns>
    public FairPlaces.Place? TryEnter(IPAddress? address) => _places.TryEnter(address);

    /// <summary>Waits until a hello from there may be judged. Whoever waits still makes room for newcomers.</summary>
    /// <returns>To be disposed of when the hello is judged.</returns>
    public async ValueTask<IDisposable> TurnAsync(IPAddress? address, CancellationToken cancellation) =>
        (await _turns.TakeAsync(AddressBlock.OfSite(address), cancellation))!;

    /// <summary>As <see cref="TurnAsync"/>, among those from there that claim to be the same user.</summary>
    public async ValueTask<IDisposable> UserTurnAsync(IPAddress? address, string user, CancellationToken cancellation)
    {
        var holder = (AddressBlock.OfSite(address), UserName.IsValid(user) ? user : "");
        return (await _userTurns.TakeAsync(holder, cancellation))!;
    }

    /// <summary>Waits until a hello as a user for whom too many have failed may be judged: first from the block
    /// that has failed least in this minute, and all together have so many turns a second.</summary>
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
                await Task.Delay(SlowPause, _clock.Time, CancellationToken.None);
        }
    }

    /// <returns>How long to wait before a hello as this device of the user is judged; zero to go on. Who has been let
    /// in from this block before does not wait for strangers.</returns>
    public HelloWait Wait(IPAddress? address, string user, uint epoch)
    {
        var block = AddressBlock.OfSite(address);
        TimeSpan signed, failed, failedAsUser;
        lock (_turn)
        {
            signed = _signed.Wait(DeviceOf(user, epoch), _clock.Steady);
            failed = _known.Contains((block, user)) ? TimeSpan.Zero : _failures.Wait(block, _clock.Steady);
            failedAsUser = _failuresOfUsers.Wait(FailureOf(block, user), _clock.Steady);
        }

        if ((failed > TimeSpan.Zero || failedAsUser > TimeSpan.Zero) && _lines.Allows(_clock.Steady, out var unsaid))
            LogTooMany(block, unsaid);
        return signed > TimeSpan.Zero ? new(signed, HelloLimit.OfDevice)
            : failed > TimeSpan.Zero ? new(failed, HelloLimit.OfBlock)
            : failedAsUser > TimeSpan.Zero ? new(failedAsUser, HelloLimit.OfUser)
            : default;
    }

    public void Judged(IPAddress? address, string user, uint epoch, OpenOutcome outcome)
    {
        var block = AddressBlock.OfSite(address);
        lock (_turn)
            switch (outcome)
            {
                case OpenOutcome.Refused({ Reason: SessionEndReason.Refused }):
                    _failures.Failed(block, _clock.Steady);
                    _failuresOfUsers.Failed(FailureOf(block, user), _clock.Steady);
                    break;
                case OpenOutcome.Refused({ Reason: SessionEndReason.TakenOver }): // A device that was replaced.
                    _signed.Failed(DeviceOf(user, epoch), _clock.Steady);
                    break;
                case OpenOutcome.Opened or OpenOutcome.Proved:
                    _signed.Failed(DeviceOf(user, epoch), _clock.Steady);
                    Remember((block, user));
                    break;
            }
    }

    /// <summary>Of too many the oldest are forgotten.</summary>
    private void Remember((string Block, string User) known)
    {
        if (!_known.Add(known))
            return;
        _knownInOrder.Enqueue(known);
        if (_known.Count > KnownMax)
            _known.Remove(_knownInOrder.Dequeue());
    }

    private int FailuresOf(string block)
    {
        lock (_turn)
            return _failures.FailureCount(block, _clock.Steady);
    }

    /// <summary>Names of users have no blank, so these are never mistaken for each other. What is no name at all, and
    /// may be long, is remembered as one.</summary>
    private string FailureOf(string block, string user) =>
        !UserName.IsValid(user) ? "" : _known.Contains((block, user)) ? $"{user} {block}" : user;

    /// <summary>Each device has its own count, so one that was replaced uses up nothing of the newest's.</summary>
    private static string DeviceOf(string user, uint epoch) =>
        UserName.IsValid(user) ? string.Create(CultureInfo.InvariantCulture, $"{user} {epoch}") : "";

    [LoggerMessage(5046, LogLevel.Warning,
        "Too many failed hellos from {Block}, or for one user: for a minute further ones are not checked, or only "
        + "slowly ({Unsaid} more since the last line)")]
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
