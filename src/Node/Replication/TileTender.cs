using System.Threading.Channels;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using ChordChat.Node.Ring;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Replication;

/// <summary>Looks after every tile that this node holds: learns, changes epochs, tells who has missed something.</summary>
/// <remarks>What to do is decided by <see cref="Steward"/>; this loop only asks it and runs one task at a time per tile.</remarks>
internal sealed partial class TileTender : BackgroundService
{
    /// <summary>Tiles that this node learns at once: more would only share the same disk and wire.</summary>
    private const int LearnersMax = 4;

    /// <summary>Changes of epoch that this node drives at once.</summary>
    private const int ChangesMax = 4;

    private const int ToldMax = 64;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<TileId, Steward> _stewards = [];
    private readonly Dictionary<TileId, StewardAction> _running = [];
    private readonly Channel<TileId> _due = Channel.CreateUnbounded<TileId>();
    private readonly TileBoard _board;
    private readonly ReplicaCalls _calls;
    private readonly TileDirectory _directory;
    private readonly ConfigurationNews _news;
    private readonly BallotSource _ballots;
    private readonly RingDriver _ring;
    private readonly StewardOptions _options;
    private readonly CoordinatorOptions _patience;
    private readonly int _copies;
    private readonly TimeProvider _time;
    private readonly ILogger<TileTender> _logger;
    private readonly Lock _turn = new();
    private readonly long _started;

    public TileTender(
        TileBoard board,
        ReplicaCalls calls,
        TileDirectory directory,
        ConfigurationNews news,
        BallotSource ballots,
        RingDriver ring,
        Genesis genesis,
        StewardOptions options,
        CoordinatorOptions patience,
        TimeProvider time,
        ILogger<TileTender> logger)
    {
        (_board, _calls, _directory, _news, _ballots, _ring) = (board, calls, directory, news, ballots, ring);
        (_options, _patience, _copies, _time, _logger) = (options, patience, genesis.BackupCount + 1, time, logger);
        _started = time.GetTimestamp();
        foreach (var header in board.All)
            _directory.Learn(header.Newest);
        board.Changed += header => _due.Writer.TryWrite(header.Tile);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            using var beat = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            beat.CancelAfter(Interval);
            var due = await DueAsync(beat.Token);
            var outlook = new Outlook(_ring, _copies);
            foreach (var header in due is null ? [.. _board.All] : due.Select(_board.Of).OfType<TileHeader>())
                Tend(header, outlook);
        }
    }

    /// <summary>The tiles whose headers have changed, or null when it is time to look at all.</summary>
    private async Task<HashSet<TileId>?> DueAsync(CancellationToken beat)
    {
        try
        {
            await _due.Reader.WaitToReadAsync(beat);
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        var due = new HashSet<TileId>();
        while (_due.Reader.TryRead(out var tile))
            due.Add(tile);
        return due;
    }

    private void Tend(TileHeader header, Outlook outlook)
    {
        _news.Hear(header.Newest);
        if (header.Phase is TilePhase.Retired)
        {
            _stewards.Remove(header.Tile);
            return;
        }

        if (!_stewards.TryGetValue(header.Tile, out var steward))
            _stewards.Add(header.Tile, steward = new Steward(_calls.Self, _options));
        lock (_turn)
            if (_running.ContainsKey(header.Tile))
                return;
        var now = (long)_time.GetElapsedTime(_started).TotalMilliseconds;
        switch (steward.Decide(header, outlook.Of(header.Tile), now))
        {
            case StewardAction.Learn learn when Begin(header.Tile, learn, LearnersMax):
                var learner = new Learner(_calls.Self, header, _patience, Seed());
                Run(header.Tile, learner, () => { });
                break;
            case StewardAction.Announce announce when Begin(header.Tile, announce, int.MaxValue):
                Run(header.Tile, new Announcement(_calls.Self, header, _patience), () => { });
                break;
            case StewardAction.Change change when Begin(header.Tile, change, ChangesMax):
                var wanted = change.Wanted;
                LogChange(header.Tile.ToString(), string.Join(' ', wanted.Select(Name)));
                var epochChange = new EpochChange(header.Configuration, wanted, _ballots, _patience, Seed());
                Run(header.Tile, epochChange, () => Tell(epochChange));
                break;
        }
    }

    /// <summary>Notes that something runs for the tile, unless as many of its kind run already.</summary>
    private bool Begin(TileId tile, StewardAction action, int max)
    {
        lock (_turn)
        {
            if (_running.Values.Count(running => running.GetType() == action.GetType()) >= max)
                return false;
            _running.Add(tile, action);
            return true;
        }
    }

    private void Run(TileId tile, Coordinator coordinator, Action ended) =>
        new Operation(coordinator, _calls, _directory, _time, () =>
        {
            if (!coordinator.IsDone)
                return;
            lock (_turn)
                _running.Remove(tile);
            ended();
            _due.Writer.TryWrite(tile);
        }).Start();

    /// <summary>Those who are no members hear it too: next time they ask the right ones at once.</summary>
    private void Tell(EpochChange change)
    {
        if (change.Outcome is not EpochChangeOutcome.Decided(var next))
            return;
        var news = new ReplicaRequest.NewConfiguration(next, change.Configuration);
        foreach (var peer in _ring.Now.Members.Live.Where(peer => !next.Contains(peer.Node)).Take(ToldMax))
            _calls.Send(peer.Node, news, _ => { });
    }

    private string Name(NodeId node) => _ring.Now.Find(node)?.Name ?? node.ToString()[..8];

    private static ulong Seed() => (ulong)Random.Shared.NextInt64();

    [LoggerMessage(2101, LogLevel.Information, "tile {Tile} is to be kept by {Members}")]
    private partial void LogChange(string tile, string members);

    /// <summary>What the ring suggests at one moment, worked out once for all tiles.</summary>
    private sealed class Outlook(RingDriver ring, int copies)
    {
        private readonly Membership _members = ring.Now.Members;
        private readonly TimeSpan _now = ring.Clock;
        private readonly TimeSpan _quarantine = ring.Now.Membership.Options.Quarantine;
        private readonly HashSet<NodeId> _unwanted = [.. ring.Now.Members.All.Where(IsUnwanted).Select(m => m.Peer.Node)];

        public TileOutlook Of(TileId tile) => new(
            [.. _members.Placement(tile.Start, copies, _now, _quarantine).Select(peer => peer.Node)], _unwanted);

        private static bool IsUnwanted(Member member) => member.WasHeard
            && (member.Health is Health.Leaving or Health.Left || (member.Health is Health.Dead && member.Confirmed));
    }
}
