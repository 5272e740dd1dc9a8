using System.Collections.Concurrent;
using System.Threading.Channels;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Tiles;

/// <summary>Looks after every tile that this node holds: learns, changes epochs, tells who has missed
/// something.</summary>
/// <remarks>What to do is decided by <see cref="TileKeeper"/>; this loop only asks it and runs what it says.</remarks>
internal sealed partial class TileTender : ILoop
{
    private const int ToldMax = 64;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseMin = Interval + TimeSpan.FromSeconds(1);

    private readonly Channel<TileId?> _due = Channel.CreateUnbounded<TileId?>();
    private readonly TileKeeper _keeper;
    private readonly TilePauses _pauses;
    private readonly TileBoard _board;
    private readonly ReplicaCalls _calls;
    private readonly TileDirectory _directory;
    private readonly ConfigurationNews _news;
    private readonly RingDriver _ring;
    private readonly int _copies;
    private readonly StewardOptions _options;
    private readonly LargeTiles _large;
    private readonly TimeProvider _time;
    private readonly LoopFaults<TileTender> _faults;
    private readonly ILogger<TileTender> _logger;
    private readonly ConcurrentDictionary<TileId, TileEpoch> _doubted = [];
    private readonly long _started;
    private long _lastBeat;
    private long _lastLook;
    private volatile bool _isClosing;

    public TileTender(
        TileBoard board,
        ReplicaCalls calls,
        TileDirectory directory,
        ConfigurationNews news,
        BallotSource ballots,
        RingDriver ring,
        Genesis genesis,
        StewardOptions options,
        LargeTiles large,
        NewsWitnesses witnesses,
        NextMembers nextMembers,
        CoordinatorOptions patience,
        TimeProvider time,
        LoopFaults<TileTender> faults,
        ILogger<TileTender> logger)
    {
        (_board, _calls, _directory, _news, _ring) = (board, calls, directory, news, ring);
        (_options, _large, _faults) = (options, large, faults);
        (_copies, _time, _logger) = (genesis.BackupCount + 1, time, logger);
        _keeper = new TileKeeper(ballots, patience, options, (ulong)Random.Shared.NextInt64())
        {
            MayBeNext = nextMembers.MayBe,
        };
        _lastBeat = _started = time.GetTimestamp();
        foreach (var header in board.All)
            _directory.Learn(header.Newest);
        _pauses = new TilePauses(time);
        witnesses.Doubted += end =>
        {
            if (board.Of(end.Tile) is { Phase: TilePhase.Active } header && header.Configuration.At == end)
                _doubted[end.Tile] = end;
        };
        board.Changed += header =>
        {
            _pauses.Hear(header);
            _due.Writer.TryWrite(header.Tile);
        };
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        _lastBeat = _time.GetTimestamp();
        while (!stopping.IsCancellationRequested)
        {
            using var beat = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            beat.CancelAfter(Interval);
            var due = await DueAsync(beat.Token);
            NoticePause();
            if (due is null || _time.GetElapsedTime(_lastLook) > Interval)
                (due, _lastLook) = (null, _time.GetTimestamp()); // However often others make something due.
            foreach (var tile in _doubted.Keys)
                if (_doubted.TryRemove(tile, out var end))
                    _keeper.Doubt(end, Now);
            var outlook = new Outlook(_ring, _copies, _options, _large, _keeper.PassedOver(Now));
            foreach (var header in due is null ? _board.All : due.Select(_board.Of).OfType<TileHeader>())
                try
                {
                    Tend(header, outlook);
                }
                catch (Exception fault)
                {
                    _faults.Report(fault); // The next tiles are looked after all the same.
                }

            if (_pauses.TakeBurst() is { Count: > 0 } pauses)
                LogPaused(pauses.Count, Ms(pauses, 0.5), Ms(pauses, 0.99), Ms(pauses, 1));
        }
    }

    private long Now => (long)_time.GetElapsedTime(_started).TotalMilliseconds;

    private static long Ms(IReadOnlyList<TimeSpan> sorted, double share) =>
        (long)sorted[(int)Math.Min(sorted.Count - 1, share * sorted.Count)].TotalMilliseconds;

    /// <summary>This node is about to stop: changes that run are finished, no more are begun.</summary>
    public void BeginNoMore() => _isClosing = true;

    /// <summary>A beat that comes late says that the process was paused: nothing that it believes is to be acted on
    /// before it has asked again.</summary>
    private void NoticePause()
    {
        var now = _time.GetTimestamp();
        if (_time.GetElapsedTime(_lastBeat, now) is var beat && beat > PauseMin)
            _keeper.Paused((long)beat.TotalMilliseconds, Now);
        _lastBeat = now;
        if (_isClosing)
            _keeper.BeginNoMore();
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
        var all = false;
        while (_due.Reader.TryRead(out var tile))
            if (tile is { } one)
                due.Add(one);
            else
                all = true; // Something ended: others may have waited for its turn.
        return all ? null : due;
    }

    private void Tend(TileHeader header, Outlook outlook)
    {
        _news.Hear(header.Newest);
        if (_keeper.Next(header, outlook.Of(header.Newest), Now) is not { } next)
            return;
        new Operation(next, _calls, _directory, _time, () =>
        {
            if (!next.IsDone)
                return;
            if (next is EpochChange change)
                Tell(change);
            _due.Writer.TryWrite(null);
        }, static _ => { }).Start(); // One that failed is begun anew with the next beat.
    }

    /// <summary>Those who are no members hear it too: next time they ask the right ones at once.</summary>
    private void Tell(EpochChange change)
    {
        foreach (var missing in change.Missing.Select(_ring.Now.Find).OfType<Peer>())
            _ring.TryGive(now => new MembershipInput.Unreachable(now, missing));
        if (change.Outcome is not EpochChangeOutcome.Decided)
            return;
        foreach (var (next, previous) in change.News)
        {
            LogMoved(next.Tile.ToString(), string.Join(' ', next.Members.Select(_ring.Now.NameOf)));
            var news = new ReplicaRequest.NewConfiguration(next, previous);
            foreach (var peer in _ring.Now.Members.Live.Where(peer => !next.Contains(peer.Node)).Take(ToldMax))
                _calls.Send(peer.Node, news, _ => { });
        }
    }

    [LoggerMessage(2101, LogLevel.Information, "tile {Tile} is now kept by {Members}")]
    private partial void LogMoved(string tile, string members);

    [LoggerMessage(2102, LogLevel.Information,
        "{Count} tiles kept here have changed members; each paused: median {Median} ms, p99 {P99} ms, "
        + "max {Longest} ms")]
    private partial void LogPaused(int count, long median, long p99, long longest);

    /// <summary>What the ring suggests at one moment, worked out once for all tiles.</summary>
    private sealed class Outlook(
        RingDriver ring, int copies, StewardOptions options, LargeTiles large, IReadOnlySet<NodeId> passedOver)
    {
        private readonly MembershipState _membership = ring.Now.Membership;
        private readonly TimeSpan _now = ring.Clock;
        private readonly HashSet<NodeId> _unwanted =
            [.. ring.Now.Members.All.Where(m => m.IsUnwanted).Select(m => m.Peer.Node)];

        private readonly HashSet<NodeId> _away =
            [.. ring.Now.Members.All.Where(m => m.HasLeft).Select(m => m.Peer.Node)];

        private readonly HashSet<NodeId> _leaving =
            [.. ring.Now.Members.All.Where(m => m.Health is Health.Leaving).Select(m => m.Peer.Node)];

        private readonly Lazy<int> _nodes = new(() => ring.Now.Members.All.Count(member =>
            Membership.MayHoldTiles(member, ring.Clock, ring.Now.Membership.Options.Quarantine)));

        public TileOutlook Of(TileConfiguration newest) => new(
            _membership.Preferred(newest.Tile.Start, copies, _now, newest.Members, passedOver), _unwanted, _away)
        {
            Leaving = _leaving,
            LongGone = [.. newest.Members.Where(node => _membership.IsLongGone(node, _now))],
            IsTooBig = options.IsTooWide(newest.Tile, _nodes.Value) || large.Contains(newest.Tile),
        };
    }
}
