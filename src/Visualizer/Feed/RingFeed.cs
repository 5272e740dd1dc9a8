using ChordChat.Visualizer.Finding;
using ChordChat.Visualizer.Trust;
using ChordChat.Wire;
using Google.Protobuf;
using Grpc.Core;

namespace ChordChat.Visualizer.Feed;

/// <summary>Watches the ring through one node, and moves to another by itself when that one falls silent.</summary>
internal sealed partial class RingFeed(NodeFinder finder, TimeProvider time, ILogger<RingFeed> logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ProbePatience = TimeSpan.FromMilliseconds(1000);
    private static readonly TimeSpan FirstSnapshotPatience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan SilenceShown = TimeSpan.FromSeconds(5);
    private static readonly JsonFormatter Json = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true));

    private readonly AuthorityPin _pin = new(finder.Authority) { Viewer = finder.Viewer };
    private readonly Latest<FeedState> _latest = new(FeedState.Empty);
    private Snapshot? _ring;
    private long _silentUntil;

    /// <summary>The node that is watched now, to ask it more; null while none answers.</summary>
    public NodeLink? Watched { get; private set; }

    public IAsyncEnumerable<FeedState> WatchAsync(CancellationToken cancellation) => _latest.WatchAsync(cancellation);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        string? lost = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                lost = await WatchNextAsync(lost, stoppingToken);
            }
            catch (Exception fault) when (!stoppingToken.IsCancellationRequested)
            {
                LogFault(fault); // The page lives on, and another node may do better.
                await Task.Delay(Pause, time, stoppingToken);
            }
        }
    }

    /// <returns>The node that was lost last.</returns>
    private async Task<string?> WatchNextAsync(string? lost, CancellationToken stoppingToken)
    {
        using var link = await FindAsync(lost, stoppingToken);
        if (link is null)
        {
            await Task.Delay(Pause, time, stoppingToken);
            return lost;
        }

        Open(link, lost);
        try
        {
            await WatchOneAsync(link, stoppingToken);
        }
        finally
        {
            Watched = null;
        }

        LogLost(link.Name, link.Address);
        return link.Name;
    }

    /// <summary>Another node of the ring as last seen, or whoever the finder finds.</summary>
    private async Task<NodeLink?> FindAsync(string? lost, CancellationToken stoppingToken)
    {
        var known = KnownAddresses(_ring, lost);
        var (link, stranger) = await FirstToAnswer.OfAsync(known, _pin, time, stoppingToken);
        if (link is not null)
            return link;
        var found = await finder.FindAsync(stoppingToken);
        (link, var other) = await FirstToAnswer.OfAsync(found, _pin, time, stoppingToken);
        if (link is null)
            Close([.. known.Concat(found).Distinct()], stranger ?? other);
        return link;
    }

    /// <summary>Where else the ring was: nodes that stood first, the lost one last, for it may be back.</summary>
    internal static IReadOnlyList<string> KnownAddresses(Snapshot? ring, string? lost) =>
    [
        .. (ring?.Nodes ?? [])
            .Where(node => Addresses.IsAddress(node.Address))
            .OrderBy(node => node.Name == lost ? 2 : node.State == NodeView.Types.State.Alive ? 0 : 1)
            .Select(node => node.Address),
    ];

    /// <summary>Passes on every snapshot until the node ends or breaks the stream, or answers no question.</summary>
    private async Task WatchOneAsync(NodeLink link, CancellationToken stoppingToken)
    {
        using var silent = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        silent.CancelAfter(FirstSnapshotPatience);
        var probing = ProbeAsync(link, silent);
        try
        {
            using var call = link.View.Watch(new WatchRequest(), cancellationToken: silent.Token);
            await foreach (var snapshot in call.ResponseStream.ReadAllAsync(silent.Token))
            {
                silent.CancelAfter(Timeout.InfiniteTimeSpan);
                Show(link, snapshot);
            }
        }
        catch (Exception cause) when (cause is RpcException or OperationCanceledException)
        {
            stoppingToken.ThrowIfCancellationRequested();
            LogBroken(link.Name, NodeWords.Text(cause.Message));
        }
        finally
        {
            await silent.CancelAsync();
            await probing;
        }
    }

    /// <summary>A machine that lost its power breaks no connection: only questions show that it is gone.</summary>
    private async Task ProbeAsync(NodeLink link, CancellationTokenSource silent)
    {
        try
        {
            while (await link.AnswersAsync(ProbePatience, silent.Token))
                await Task.Delay(ProbeInterval, time, silent.Token);
            await silent.CancelAsync();
        }
        catch (OperationCanceledException)
        {
            // The stream ended first.
        }
    }

    private void Open(NodeLink link, string? lost)
    {
        Watched = link;
        LogWatching(link.Name, link.Address);
        var eyes = _latest.Value.Eyes with
        {
            State = Eyes.Watching,
            Node = link.Name,
            Address = link.Address,
            Rounds = 0,
            Tried = [],
            Text = "",
        };
        if (lost is not null)
        {
            var text = lost == link.Name
                ? $"{lost} answers again; the ring is seen through it"
                : $"{lost} stopped answering; the ring is now seen through {link.Name}";
            eyes = eyes.With(new EyesNote(time.GetUtcNow(), link.Name, text));
            eyes = eyes with { Silent = lost == link.Name ? "" : lost };
            _silentUntil = time.GetTimestamp() + (long)(SilenceShown.TotalSeconds * time.TimestampFrequency);
        }

        _latest.Publish(_latest.Value with { Eyes = eyes });
    }

    private void Show(NodeLink link, Snapshot snapshot)
    {
        if (snapshot.SeenBy.Length == 0)
            snapshot.SeenBy = link.Name;
        PlainPicture.Make(snapshot);
        var eyes = _latest.Value.Eyes;
        if (eyes.Silent.Length > 0 && (HasNoticed(eyes.Silent, _ring, snapshot) || time.GetTimestamp() > _silentUntil))
            eyes = eyes with { Silent = "" };
        _ring = snapshot;
        _latest.Publish(new FeedState(eyes, Json.Format(snapshot)));
    }

    /// <summary>Whether the ring knows of the silence of a node, or the node has started again: what the ring says of
    /// it holds from now on.</summary>
    internal static bool HasNoticed(string silent, Snapshot? before, Snapshot now) =>
        now.Nodes.FirstOrDefault(node => node.Name == silent) is not { State: NodeView.Types.State.Alive } alive
        || before?.Nodes.FirstOrDefault(node => node.Name == silent) is { SinceMs: > 0 } then
            && then.SinceMs != alive.SinceMs;

    private void Close(IReadOnlyList<string> tried, string? stranger)
    {
        var eyes = _latest.Value.Eyes;
        var text = stranger ?? "";
        _latest.Publish(_latest.Value with
        {
            Eyes = eyes with
            {
                State = Eyes.Searching,
                Node = "",
                Address = "",
                Rounds = eyes.Rounds + 1,
                Tried = tried,
                Text = text,
                Silent = "",
            },
        });
    }

    [LoggerMessage(7001, LogLevel.Information, "Watching the ring through {Node} at {Address}")]
    private partial void LogWatching(string node, string address);

    [LoggerMessage(7002, LogLevel.Warning, "{Node} at {Address} stopped answering; looking for another node")]
    private partial void LogLost(string node, string address);

    [LoggerMessage(7004, LogLevel.Error, "an error of this program: the page goes on; please report this")]
    private partial void LogFault(Exception fault);

    [LoggerMessage(7003, LogLevel.Debug, "The stream of {Node} ended: {Reason}")]
    private partial void LogBroken(string node, string reason);
}
