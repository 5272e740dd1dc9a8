using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Wire;

namespace ChordChat.Node.View;

/// <summary>The whole cluster as this node sees it, drawn anew every half second while somebody watches.</summary>
internal sealed class ClusterPicture(
    Genesis genesis,
    RingDriver ring,
    RingCalls calls,
    SelfPortrait self,
    TileDirectory directory,
    EventLog events,
    TimeProvider time) : ILoop, IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMilliseconds(800);
    private readonly Latest<Snapshot?> _latest = new(null);
    private readonly SemaphoreSlim _wanted = new(0);
    private int _watchers;

    /// <summary>A snapshot at once and a new one whenever there is one.</summary>
    public async IAsyncEnumerable<Snapshot> WatchAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        Interlocked.Increment(ref _watchers);
        _wanted.Release();
        try
        {
            await foreach (var snapshot in _latest.WatchAsync(cancellation))
                if (snapshot is not null)
                    yield return snapshot;
        }
        finally
        {
            Interlocked.Decrement(ref _watchers);
        }
    }

    public void Dispose() => _wanted.Dispose();

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            if (Volatile.Read(ref _watchers) == 0)
                await _wanted.WaitAsync(stopping);
            _latest.Publish(await DrawAsync(stopping));
            await Task.Delay(Interval, time, stopping);
        }
    }

    private async Task<Snapshot> DrawAsync(CancellationToken cancellation)
    {
        var now = ring.Now;
        var heard = now.Members.All.Where(member => member.WasHeard && member.Health is not Health.Left).ToList();
        var portraits = await Task.WhenAll(heard.Select(async member => (
            Member: member,
            Portrait: member.Peer == now.Self ? await self.DrawAsync(cancellation)
                : member.Health is Health.Dead ? null
                : await calls.DescribeAsync(member.Peer, AnswerTimeout, cancellation))));
        var proven = now.Members.All.Where(member => member.Spoken > 0).Select(member => member.Peer.Name).ToHashSet();
        var snapshot = new Snapshot
        {
            Cluster = genesis.ClusterHex,
            SeenBy = now.Self.Name,
            AtMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            Nodes = { portraits.Select(shown => ToWire(NameOf(shown.Member, proven), shown.Member, shown.Portrait)) },
            Events = { events.Newest.Select(ToWire) },
        };
        snapshot.Tiles.AddRange(Tiles(now, portraits));
        return snapshot;
    }

    private static NodeView ToWire(string name, Member member, DescribeReply? portrait)
    {
        var view = new NodeView
        {
            Name = name,
            Id = member.Peer.Node.ToString(),
            Position = member.Peer.Position.ToString(),
            Address = member.Peer.Address,
            State = member.Health switch
            {
                Health.Dead => NodeView.Types.State.Dead,
                Health.Leaving => NodeView.Types.State.Leaving,
                Health.Alive when portrait is not null => NodeView.Types.State.Alive,
                _ => NodeView.Types.State.Suspect,
            },
        };
        if (portrait is null)
            return view;
        view.Predecessor = portrait.Predecessor is null ? "" : portrait.Predecessor.ToCore().Position.ToString();
        view.Successors.AddRange(portrait.Successors.Select(peer => peer.ToCore().Position.ToString()));
        view.Fingers.AddRange(portrait.Fingers.Select(finger => new FingerView
        {
            Index = finger.Index,
            Position = finger.Peer.ToCore().Position.ToString(),
        }));
        (view.OwnRecords, view.BackupRecords) = (portrait.OwnRecords, portrait.BackupRecords);
        (view.Sessions, view.SinceMs) = ((uint)portrait.Users.Count, portrait.SinceMs);
        view.Users.AddRange(portrait.Users);
        return view;
    }

    /// <summary>Others made up the name of whoever has not spoken here, perhaps: it stands for no node that
    /// has.</summary>
    /// <param name="proven">The names of those that have.</param>
    private static string NameOf(Member member, HashSet<string> proven) =>
        member.Spoken == 0 && proven.Contains(member.Peer.Name) ? member.ProvenName : member.Peer.Name;

    private IEnumerable<TileView> Tiles(
        RingSnapshot now, IReadOnlyList<(Member Member, DescribeReply? Portrait)> portraits) => TilePicture.Of(
            directory.All, portraits.SelectMany(shown => (shown.Portrait?.Tiles ?? []).Select(
                held => (shown.Member.Peer.Node, held))))
        .Select(tile => new TileView
        {
            Tile = tile.Configuration.Tile.ToString(),
            Start = tile.Configuration.Tile.Start.ToString(),
            End = tile.Configuration.Tile.End.ToString(),
            Epoch = tile.Configuration.Epoch,
            Phase = tile.Phase,
            Members = { tile.Configuration.Members.Select(m => now.Find(m)?.Position.ToString()).OfType<string>() },
        });

    private static ViewEvent ToWire(ClusterEvent happened) => new()
    {
        Number = happened.Number,
        AtMs = happened.At.ToUnixTimeMilliseconds(),
        Kind = happened.Kind,
        Node = happened.Node,
        Text = happened.Text,
    };
}
