using ChordChat.Core.Tiles;
using ChordChat.Node.Chat;
using ChordChat.Node.Identity;
using ChordChat.Node.Links;
using ChordChat.Node.Ring;
using ChordChat.Node.Tiles;
using ChordChat.Wire;

namespace ChordChat.Node.View;

/// <summary>What this node shows of itself.</summary>
internal sealed class SelfPortrait(
    LocalNode node, RingDriver ring, TileBoard board, ReplicaWriter writer, IPresentUsers users)
{
    private const int UsersMax = 500;

    public async Task<DescribeReply> DrawAsync(CancellationToken cancellation)
    {
        var now = ring.Now;
        var counts = await writer.AskAsync(store => store.CountRecords()).WaitAsync(cancellation);
        var held = board.All.Where(header => header.Phase is not (TilePhase.None or TilePhase.Retired)).ToList();
        var own = held.Where(header => header.Configuration.Members[0] == now.Self.Node)
            .Select(header => header.Tile).ToHashSet();
        return new DescribeReply
        {
            Self = now.Self.ToWire(),
            Predecessor = now.Ring.Predecessor?.ToWire(),
            Successors = { now.Ring.Successors.Select(peer => peer.ToWire()) },
            Fingers =
            {
                now.Fingers.Distinct().Select(finger => new FingerEntry
                {
                    Index = (uint)finger.Index,
                    Peer = finger.Peer.ToWire(),
                }),
            },
            OwnRecords = (ulong)counts.Where(count => own.Contains(count.Key)).Sum(count => count.Value),
            BackupRecords = (ulong)counts.Where(count => !own.Contains(count.Key)).Sum(count => count.Value),
            Users = { users.Names.Take(UsersMax) },
            SinceMs = node.StartedAt.ToUnixTimeMilliseconds(),
            Tiles = { held.Select(ToWire) },
        };
    }

    private static HeldTile ToWire(TileHeader header) => new()
    {
        Prefix = header.Tile.Prefix,
        Bits = (uint)header.Tile.Bits,
        Generation = header.Configuration.Generation,
        Epoch = header.Configuration.Epoch,
        Members = { header.Configuration.Members.Select(member => member.ToWire()) },
        Phase = header.Phase.ToWire(),
    };
}
