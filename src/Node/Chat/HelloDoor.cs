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
    private const int FailedPerUserMax = 300;

    private readonly FairPlaces _places = new(
        options.UnprovenPerAddressMax, options.UnprovenMax, options.HelloTimeout / 2, clock.Time);

    /// <summary>Whoever waits for a turn has a place, so nothing else bounds the lines.</summary>
    private readonly FairTurns<string> _turns = new(
        options.JudgedPerAddressMax, options.JudgedMax, waitingMax: int.MaxValue);

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

    /// <returns>How long to wait before a hello as this user is judged; zero to go on. Who has been let in from this
    /// block before does not wait for strangers.</returns>
    public HelloWait Wait(IPAddress? address, string user)
    {
        var block = AddressBlock.Of(address);
        TimeSpan signed, failed;
        lock (_turn)
        {
            signed = _signed.Wait(user, clock.Steady);
            failed = _failuresOfUsers.Wait(FailureOf(block, user), clock.Steady);
            if (!_known.Contains((block, user)) && _failures.Wait(block, clock.Steady) is var wait && wait > failed)
                failed = wait;
        }

        if (failed > TimeSpan.Zero && _lines.Allows(clock.Steady, out var unsaid))
            LogTooMany(block, unsaid);
        return new(signed > failed ? signed : failed, IsOfUser: signed > failed);
    }

    public void Judged(IPAddress? address, string user, OpenOutcome outcome)
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
                    _signed.Failed(user, clock.Steady);
                    break;
                case OpenOutcome.Opened or OpenOutcome.Proved:
                    _signed.Failed(user, clock.Steady);
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

    [LoggerMessage(5046, LogLevel.Warning,
        "Too many hellos from {Block} had no valid signature; no more are checked for a minute ({Unsaid} more were "
        + "turned away since the last line)")]
    private partial void LogTooMany(string block, long unsaid);
}

/// <param name="IsOfUser">The user's own devices have said too many, not somebody else.</param>
internal readonly record struct HelloWait(TimeSpan Wait, bool IsOfUser);
