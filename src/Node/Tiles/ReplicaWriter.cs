using System.Diagnostics;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Storage;
using Microsoft.Data.Sqlite;

namespace ChordChat.Node.Tiles;

/// <summary>The one thread that touches the replica and its database: takes what has gathered, carries it out in one
/// transaction, commits (one fsync), and only then answers.</summary>
/// <remarks>While a commit waits for the disk the next operations gather, so batches grow with the load by themselves.
/// A failed write ends the node: its memory would say what the disk does not. A request that brings an error of this
/// program to light ends nothing: docs/protocol.md#faults-of-one-request.</remarks>
internal sealed partial class ReplicaWriter : IDisposable
{
    /// <summary>Operations in one transaction.</summary>
    private const int BatchMax = 256;

    /// <summary>Operations that may wait; further ones are not taken.</summary>
    public const int WaitingMax = 65_536;

    /// <summary>The same of one other node.</summary>
    private const int WaitingOfOneMax = WaitingMax / 4;

    /// <summary>Callers that are remembered although they may owe nothing.</summary>
    private const int RememberedMax = 64;

    /// <summary>How long one transaction may take; one request may take longer.</summary>
    private static readonly long BatchCostMax = Stopwatch.Frequency / 20;

    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollback;
    private readonly RunTable _runs;
    private readonly Func<(SqliteReplicaStore, Replica)> _open;
    private readonly LineBudget _faultLines = new(1);
    private readonly TimeProvider _time;
    private readonly TileBoard _board;
    private readonly RunningTime _clock;
    private readonly RowAges _ages;
    private readonly DiskRoom _room;
    private readonly IHostApplicationLifetime _life;
    private readonly ILogger<ReplicaWriter> _logger;
    private readonly NodeId _self;
    private readonly Lock _turn = new();
    private readonly AutoResetEvent _work = new(false);
    private readonly Thread _thread;
    private readonly WorkLine<Work> _line;
    private readonly long[] _costs = new long[BatchMax]; // Of the batch in hand.
    private volatile SqliteReplicaStore _store;
    private Replica _replica;
    private bool _stopping;

    public ReplicaWriter(
        NodeDatabase database,
        LocalNode self,
        IEnumerable<TileConfiguration> genesis,
        TileBoard board,
        RowAges ages,
        IValueRules values,
        PeerLimits peers,
        DiskRoom room,
        TimeProvider time,
        IHostApplicationLifetime life,
        ILogger<ReplicaWriter> logger)
    {
        (_board, _room, _time, _life, _logger) = (board, room, time, life, logger);
        _self = self.Self.Node;
        _line = new(_self, WaitingOfOneMax, WaitingMax);
        _begin = new Statement(database.Connection, "BEGIN", 0);
        _commit = new Statement(database.Connection, "COMMIT", 0);
        _rollback = new Statement(database.Connection, "ROLLBACK", 0);
        _runs = database.Runs ?? throw new InvalidOperationException("the database was not started");
        _open = () =>
        {
            var store = new SqliteReplicaStore(database.Connection, NameDamaged);
            return (store, new Replica(_self, store, ages: ages, values: values, peers: peers));
        };
        (_store, _replica) = _open();
        _begin.Run();
        (_clock, _ages) = (new RunningTime(database, time), ages);
        LookAtClock();
        _replica.Found(genesis);
        Commit();
        _board.Show(_replica.Headers);
        _replica.TakeChanges();
        _thread = new Thread(Run) { IsBackground = true, Name = "replica writer" };
        _thread.Start();
    }

    /// <summary>Hands the replica a request; <paramref name="done"/> gets the reply on the writer's thread, after the
    /// commit, and must be quick. It is never called when the node stops first.</summary>
    /// <returns>False when too much waits already or the node stops: then nothing is done.</returns>
    public bool Submit(ReplicaRequest request, NodeId from, Action<ReplicaReply> done) =>
        Submit(new(request, from, done, null));

    /// <summary>Runs a question on the store, between two transactions.</summary>
    public Task<T> AskAsync<T>(Func<SqliteReplicaStore, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!Submit(new(null, _self, null, Ask)))
            answer.TrySetException(new OverloadedException("the database"));
        return answer.Task;

        void Ask()
        {
            try
            {
                answer.TrySetResult(question(_store));
            }
            catch (Exception fault) when (!IsOfDisk(fault))
            {
                answer.TrySetException(fault);
            }
        }
    }

    /// <summary>Live messages of a set on this node, or 0. Any thread.</summary>
    public long PendingCount(TileId tile, string set) => _store.PendingCount(tile, set);

    /// <summary>Operations that wait now; any thread.</summary>
    public int WaitingCount
    {
        get
        {
            lock (_turn)
                return _line.Count;
        }
    }

    public void Dispose()
    {
        lock (_turn)
            _stopping = true;
        _work.Set();
        _thread.Join();
        _store.Dispose();
        _begin.Dispose();
        _commit.Dispose();
        _rollback.Dispose();
        _work.Dispose();
    }

    private bool Submit(Work work)
    {
        lock (_turn)
        {
            if (_stopping || !_line.TryAdd(work.From, work))
                return false;
            if (_line.Count > 1)
                return true; // The thread has been woken for the first one.
        }

        _work.Set();
        return true;
    }

    private void Run()
    {
        var batch = new List<Work>(BatchMax);
        var replies = new List<ReplicaReply?>(BatchMax);
        try
        {
            for (var done = 0; TakeNext(batch, done);)
            {
                if (batch.Count == 0)
                    _work.WaitOne();
                done = batch.Count == 0 ? 0 : CarryOut(batch, replies);
                if (batch.Count < BatchMax)
                    Thread.Yield(); // Whoever is about to hand in more runs first: on busy cores a third fewer commits.
            }
        }
        catch (Exception broken)
        {
            lock (_turn)
                _stopping = true;
            LogBroken(broken is SqliteException { SqliteErrorCode: 13 }
                ? "the disk is full: make room, then start this node again"
                : IsOfDisk(broken) ? broken.Message : $"an error of this program, please report it: {broken}");
            Environment.ExitCode = (int)ExitCode.Storage;
            _life.StopApplication();
        }
    }

    /// <summary>Settles the account of the last ones and takes the next.</summary>
    /// <param name="done">How many of the last ones were carried out; the others go back.</param>
    /// <returns>False when the node stops.</returns>
    private bool TakeNext(List<Work> batch, int done)
    {
        lock (_turn)
        {
            for (var i = 0; i < done; i++)
                _line.Charge(batch[i].From, _costs[i]);
            for (var i = batch.Count - 1; i >= done; i--)
                _line.PutBack(batch[i].From, batch[i]);
            batch.Clear();
            _line.Take(batch, BatchMax, BatchCostMax);
            if (_line.Count == 0 && _line.CallerCount > RememberedMax)
                _line.Sweep();
            return !_stopping;
        }
    }

    private static bool IsOfDisk(Exception cause) => cause is SqliteException or DamagedRowException;

    /// <summary>docs/protocol.md#faults-of-one-request.</summary>
    /// <returns>How many were carried out before the time of one transaction was over; one at least.</returns>
    private int CarryOut(List<Work> batch, List<ReplicaReply?> replies)
    {
        int done;
        try
        {
            done = Execute(batch, 0, batch.Count, replies);
        }
        catch (Exception fault) when (!IsOfDisk(fault))
        {
            BeginAnew();
            return CarryOutOneByOne(batch, replies);
        }

        Answer(batch, 0, done, replies);
        return done;
    }

    private int CarryOutOneByOne(List<Work> batch, List<ReplicaReply?> replies)
    {
        var begun = Stopwatch.GetTimestamp();
        for (var (i, before) = (0, begun); i < batch.Count; i++, before = Stopwatch.GetTimestamp())
        {
            if (i > 0 && before - begun > BatchCostMax)
                return i;
            try
            {
                Execute(batch, i, 1, replies);
            }
            catch (Exception fault) when (!IsOfDisk(fault))
            {
                BeginAnew();
                Report(fault, batch[i].Request?.GetType().Name);
                replies.Clear();
                replies.Add(new ReplicaReply.TooMany()); // That is: this copy has done nothing, and does not count.
                _costs[i] = Stopwatch.GetTimestamp() - before;
            }

            Answer(batch, i, 1, replies);
        }

        return batch.Count;
    }

    /// <summary>What memory has of the last transaction is forgotten with it, as after a start.</summary>
    private void BeginAnew()
    {
        _rollback.Run();
        _clock.Undone();
        _store.Dispose();
        (_store, _replica) = _open();
    }

    /// <returns>How many of them this transaction had time for.</returns>
    private int Execute(List<Work> batch, int start, int count, List<ReplicaReply?> replies)
    {
        replies.Clear();
        _begin.Run();
        var now = LookAtClock();
        _replica.HasRoom = _room.Shortage is null;
        var begun = Stopwatch.GetTimestamp();
        for (var before = begun; replies.Count < count && before - begun <= BatchCostMax;)
        {
            var i = start + replies.Count;
            var work = batch[i];
            replies.Add(work.Request is null ? null : _replica.Handle(work.Request, work.From, now));
            var after = Stopwatch.GetTimestamp();
            (_costs[i], before) = (after - before, after);
        }

        var carriedOut = Stopwatch.GetTimestamp();
        Commit();
        var share = (Stopwatch.GetTimestamp() - carriedOut) / replies.Count;
        for (var i = 0; i < replies.Count; i++)
            _costs[start + i] += share;
        return replies.Count;
    }

    /// <summary>After the commit: whoever waits is told, and a fault in one of them is nobody else's.</summary>
    private void Answer(List<Work> batch, int start, int count, List<ReplicaReply?> replies)
    {
        try
        {
            if (_replica.TakeChanges() is { Count: > 0 } changes)
                _board.Show(changes);
        }
        catch (Exception fault) when (!IsOfDisk(fault))
        {
            Report(fault, "the news of a tile");
        }

        for (var i = 0; i < count; i++)
        {
            var work = batch[start + i];
            try
            {
                if (replies[i] is { } reply)
                    work.Done?.Invoke(reply);
                else
                    work.Question?.Invoke();
            }
            catch (Exception fault) when (!IsOfDisk(fault))
            {
                Report(fault, work.Request?.GetType().Name);
            }
        }
    }

    /// <param name="what">What could not be carried out; null: a question.</param>
    private void Report(Exception fault, string? what)
    {
        if (_faultLines.Allows((long)_time.GetElapsedTime(0).TotalMilliseconds, out var unsaid))
            LogFault(fault, what ?? "a question", unsaid);
    }

    private void Commit()
    {
        _runs.CountIfChanged(_store.LastArrival);
        _commit.Run();
        _runs.Committed();
    }

    /// <summary>What is remembered from before a long absence may be what all others have deleted since:
    /// docs/protocol.md#tombstones.</summary>
    private ReplicaTime LookAtClock()
    {
        var now = _clock.Now();
        if (_clock.Away > _ages.TombstoneAge)
            foreach (var header in _replica.Headers.ToArray())
                _replica.Handle(new ReplicaRequest.Doubt(header.Tile), _replica.Self, now);
        return now;
    }

    private readonly record struct Work(
        ReplicaRequest? Request, NodeId From, Action<ReplicaReply>? Done, Action? Question);

    [LoggerMessage(2001, LogLevel.Critical, "this node's database cannot be written any more, so it stops: {Reason}")]
    private partial void LogBroken(string reason);

    [LoggerMessage(2005, LogLevel.Error,
        "an error of this program: the copies here could not carry out {Request} and went on without it; please report "
        + "this ({Unsaid} more since the last line)")]
    private partial void LogFault(Exception fault, string request, long unsaid);

    private void NameDamaged(DamagedRow row) => LogDamaged(row.Table, row.Tile.ToString(), row.Kind);

    [LoggerMessage(2002, LogLevel.Error,
        "a row on this node's disk is damaged (table {Table}, tile {Tile}, {Kind}); it is mended from the other "
        + "copies. Check the disk")]
    private partial void LogDamaged(string table, string tile, string kind);
}
