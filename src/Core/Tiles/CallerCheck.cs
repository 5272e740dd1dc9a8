using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>Whether another node may look after a tile, by what the replica holds of it.</summary>
/// <remarks>docs/protocol.md#what-a-member-may-ask. Judged when a request comes in, so that strangers cost little, and
/// again when it is carried out, for that is what counts: docs/protocol.md#judged-where-carried-out.</remarks>
public static class CallerCheck
{
    private static readonly ReplicaReply TooEarly =
        new ReplicaReply.NotAllowed("not all members of this epoch have said yet that they are complete");

    /// <param name="mayEnd">Whether others may end the present epoch; only the replica knows.
    /// docs/protocol.md#one-change-at-a-time</param>
    /// <returns>The answer instead; null when the request may be carried out.</returns>
    public static ReplicaReply? InsteadOf(
        ReplicaRequest request, NodeId from, TileHeader? header, bool mayEnd = true) => request switch
        {
            ReplicaRequest.Seal or ReplicaRequest.Decide when header?.MayChange(from, request.At) != true =>
                new ReplicaReply.NotAllowed("only members of the tile may change its members"),
            ReplicaRequest.Seal or ReplicaRequest.Decide when !mayEnd && header!.MayVote(request.At) => TooEarly,
            ReplicaRequest.Missing or ReplicaRequest.Forget when header?.IsAround(from) != true =>
                new ReplicaReply.NotAllowed("only members of the tile may ask this"),
            ReplicaRequest.Pull when header is null => Replies.WrongTile,
            ReplicaRequest.Pull when !header.IsAround(from) => new ReplicaReply.Behind(header.Configuration),
            ReplicaRequest.Decide { MayFollow: { } mayFollow } decide when header!.MayVote(request.At)
                && decide.Next != header.NextAccepted && !mayFollow(header.Configuration) =>
                new ReplicaReply.NotAllowed(
                    "a tile is not given to too few or too many nodes, nor to unknown or gone ones, and is not "
                    + "cut without need"),
            _ => null,
        };
}
