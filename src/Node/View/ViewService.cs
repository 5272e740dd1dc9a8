using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Node.Identity;
using ChordChat.Node.Ring;
using ChordChat.Node.Tiles;
using ChordChat.Wire;
using Grpc.Core;

namespace ChordChat.Node.View;

/// <summary>Shows the ring to whoever looks; names of people only to an operator's certificate.</summary>
internal sealed class ViewService(
    ClusterPicture picture, Watchers watchers, Lookups lookups, RingDriver ring, TileDirectory directory)
    : Wire.View.ViewBase
{
    private const int NameMax = 64;

    public override async Task Watch(
        WatchRequest request, IServerStreamWriter<Snapshot> responseStream, ServerCallContext context)
    {
        var caller = context.GetHttpContext();
        using var place = watchers.Enter(caller);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, place.Lost);
        var pictures = picture.WatchAsync(end.Token);
        if (!CallerIdentity.Of(caller).MaySeeNames)
            pictures = pictures.Select(PublicPicture.Of);
        try
        {
            await watchers.WriteAsync(pictures, responseStream, caller, end.Token);
        }
        catch (OperationCanceledException)
        {
            // The page was closed, or a newcomer has its place.
        }

        if (place.Lost.IsCancellationRequested)
            throw Watchers.Full("this place was given to another watcher");
    }

    public override async Task<TraceReply> Trace(TraceRequest request, ServerCallContext context)
    {
        if (request.Name.Length is 0 or > NameMax || !request.Name.All(char.IsAscii))
            throw new RpcException(new Status(StatusCode.InvalidArgument, "a name has 1 to 64 ASCII characters"));
        using var place = watchers.EnterTrace(context.GetHttpContext());
        var point = SetKey.Mailbox(request.Name).Point;
        var tile = directory.At(point);
        var times = new List<double>();
        var lookup = await lookups.FindAsync(
            tile.Tile.Start, useCache: false, context.CancellationToken, took => times.Add(took.TotalMilliseconds));
        if (lookup.Want is LookupWant.Failed(var why))
            throw new RpcException(new Status(StatusCode.Unavailable, $"the lookup did not end: {why}; try again"));
        var now = ring.Now;
        var reply = new TraceReply
        {
            Position = point.ToString(),
            Tile = tile.Tile.ToString(),
            Members = { tile.Members.Select(member => now.Find(member)?.Position.ToString()).OfType<string>() },
            Hops = { new TraceHop { Position = now.Self.Position.ToString(), Name = now.Self.Name, Why = "start" } },
        };
        for (var i = 0; i < lookup.Hops.Length; i++)
            reply.Hops.Add(new TraceHop
            {
                Position = lookup.Hops[i].Step.Peer.Position.ToString(),
                Name = lookup.Hops[i].Step.Peer.Name,
                Why = lookup.Hops[i].Step.Why,
                Ms = i < times.Count ? times[i] : 0,
            });
        return reply;
    }
}
