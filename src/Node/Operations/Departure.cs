using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Ring;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Operations;

/// <summary>How this node goes: says so, sends its clients elsewhere, lets others take its tiles, and stops.</summary>
/// <remarks>docs/protocol.md, "Ring: leave".</remarks>
internal sealed partial class Departure(
    RingDriver ring,
    TileBoard board,
    TileTender tender,
    SessionKeeper sessions,
    Genesis genesis,
    DataFolder folder,
    IHostApplicationLifetime life,
    TimeProvider time,
    ILogger<Departure> logger)
{
    /// <summary>How long a signal lets tiles be handed over; docker/compose.yaml waits 30 s before it kills.</summary>
    private static readonly TimeSpan HandOverMax = TimeSpan.FromSeconds(20);

    /// <summary>Until then everybody has heard it, and who else goes has been heard here.</summary>
    private static readonly TimeSpan Hearsay = TimeSpan.FromMilliseconds(400);

    private static readonly TimeSpan ChangesMax = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LastWords = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly Lock _turn = new();
    private Task? _going;
    private long? _signalledAt;
    private bool _isForGood;

    /// <summary>Tiles of which others may still need this node.</summary>
    public int TilesLeft => board.All.Count(header => header.Phase is not (TilePhase.Retired or TilePhase.None));

    /// <summary>Whether the nodes that stay are enough to keep every copy elsewhere.</summary>
    public bool CanBeTakenOver
    {
        get
        {
            var (members, quarantine) = (ring.Now.Members, ring.Now.Membership.Options.Quarantine);
            return members.All.Count(member => member.Peer != members.Self && member.IsReachable
                && Membership.MayHoldTiles(member, ring.Clock, quarantine)) > genesis.BackupCount;
        }
    }

    /// <summary>Whether the folder says that this node has gone for good, so that no start brings it back.</summary>
    public bool IsDrained => DataFolder.IsDrained(folder.Path);

    /// <summary>Goes for good: stops when all tiles are with others, however long that takes.</summary>
    public Task Drain()
    {
        lock (_turn)
            _isForGood = true;
        return Go();
    }

    /// <summary>Stops soon, perhaps to come back: hands over what it can in time. That cancels a drain.</summary>
    public Task Stop()
    {
        lock (_turn)
        {
            _isForGood &= TilesLeft == 0;
            _signalledAt ??= time.GetTimestamp();
        }

        return Go();
    }

    private Task Go()
    {
        lock (_turn)
            return _going ??= Task.Run(GoAsync);
    }

    private async Task GoAsync()
    {
        try
        {
            LogLeaving(TilesLeft);
            await ring.GiveAsync(now => new MembershipInput.LeaveBegun(now), CancellationToken.None);
            sessions.MoveAll();
            await Task.Delay(Hearsay, time);
            while (TilesLeft > 0 && !IsTime())
                await Task.Delay(Look, time);
            tender.BeginNoMore();
            for (var since = time.GetTimestamp(); HasOpenChange() && time.GetElapsedTime(since) < ChangesMax;)
                await Task.Delay(Look, time);
            await ring.GiveAsync(now => new MembershipInput.LeaveDone(now), CancellationToken.None);
            await ring.GiveAsync(new RingInput.LeaveDue(), CancellationToken.None);
            MarkIfDrained();
            await Task.Delay(LastWords, time);
            LogLeft(TilesLeft);
        }
        finally
        {
            life.StopApplication();
        }
    }

    /// <summary>Before anybody reads "drained" and deletes the folder: a node that came back would take tiles
    /// again.</summary>
    private void MarkIfDrained()
    {
        lock (_turn)
            if (!_isForGood || TilesLeft > 0)
                return;
        try
        {
            folder.MarkDrained();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNoMark(e.Message);
        }
    }

    private bool IsTime()
    {
        lock (_turn)
            if (_signalledAt is { } at)
                return time.GetElapsedTime(at) >= HandOverMax || !CanBeTakenOver;
        return false;
    }

    /// <summary>A tile that is sealed without a decision works again only when somebody has decided.</summary>
    private bool HasOpenChange() => board.All.Any(header => header is { Phase: TilePhase.Sealed, Pending: null });

    [LoggerMessage(6020, LogLevel.Information, "leaving: {Count} tiles to hand over")]
    private partial void LogLeaving(int count);

    [LoggerMessage(6021, LogLevel.Information, "left; this disk still holds copies of {Count} tiles")]
    private partial void LogLeft(int count);

    [LoggerMessage(6022, LogLevel.Error, "the folder could not be marked as drained: {Why}. Drain this node again")]
    private partial void LogNoMark(string why);
}
