using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;

namespace ChordChat.Node.Tiles;

/// <summary>What another node may ask of this node's replica.</summary>
/// <remarks>docs/protocol.md#what-a-member-may-ask. A certificate of the cluster is not enough: who looks after a tile
/// must be one of its members, as this replica knows them. The board is of the last commit, and what waits for the next
/// one may change it: so what depends on it is judged again by the replica.</remarks>
internal sealed class CallerRights(
    TileBoard board, TileDirectory directory, NextMembers nextMembers, CoordinatorOptions options)
{
    private static readonly CallVerdict NotItsOwn =
        new CallVerdict.Refused("only the node that it is named after may write this");

    /// <summary>Whether the caller keeps this tile too in that epoch, so that it has its rows anyway.</summary>
    public bool IsMember(NodeId from, TileEpoch at) =>
        board.Of(at.Tile) is { Configuration: var here } && here.At == at && here.Contains(from);

    public CallVerdict Judge(NodeId from, ReplicaRequest request)
    {
        if (request is ReplicaRequest.Add or ReplicaRequest.Acknowledge)
            return new CallVerdict.Allowed(request); // The most frequent; callers without a session are gone by now.
        if (BallotOf(request) is { } ballot && (ballot.Proposer != from || ballot.Epoch != request.At.Epoch))
            return new CallVerdict.Refused("a ballot names its proposer and is of the tile's epoch");
        if (CallerCheck.InsteadOf(request, from, board.Of(request.At.Tile)) is { } instead)
            return new CallVerdict.Answered(instead);
        return request switch
        {
            ReplicaRequest.NewConfiguration news => Judge(from, news),
            ReplicaRequest.Compare compare => new CallVerdict.Allowed(compare with
            {
                Tiles = [.. compare.Tiles.Where(tile => board.Of(tile.At.Tile) is { } own && own.IsAround(from))],
            }),
            ReplicaRequest.Decide decide => new CallVerdict.Allowed(nextMembers.Judged(from, decide)),
            ReplicaRequest.Prepare prepare when !MayWrite(from, prepare.Key) => NotItsOwn,
            ReplicaRequest.Accept accept when !MayWrite(from, accept.Key) => NotItsOwn,
            _ => new CallVerdict.Allowed(request),
        };
    }

    private static bool MayWrite(NodeId from, string key) =>
        RowKind.OfRegister(key) is not { Writer: RowWriter.NodeItself } kind || kind.KeyIn(key) == from.ToString();

    /// <summary>News of a decision are a claim, unless this replica voted for it itself.</summary>
    private CallVerdict Judge(NodeId from, ReplicaRequest.NewConfiguration news)
    {
        var next = news.Next;
        if (!directory.IsOfThisCircle(next))
            return new CallVerdict.Refused("malformed tile: the circle is not cut like that here");
        return NewsJudge.Judge(from, news, board.Around(next.Tile), directory, options) switch
        {
            NewsVerdict.Believed(var believed) => new CallVerdict.Allowed(believed),
            NewsVerdict.Claimed(var known) => new CallVerdict.Claimed(news, known),
            NewsVerdict.Outdated(var known) =>
                new CallVerdict.Answered(new ReplicaReply.Standing(known, TilePhase.None, null)),
            _ => new CallVerdict.Refused("a tile is not given to fewer nodes, nor to unknown ones"),
        };
    }

    private static Ballot? BallotOf(ReplicaRequest request) => request switch
    {
        ReplicaRequest.Prepare prepare => prepare.Ballot,
        ReplicaRequest.Accept accept => accept.Ballot,
        ReplicaRequest.Seal seal => seal.Ballot,
        ReplicaRequest.Decide decide => decide.Ballot,
        _ => null,
    };
}

/// <summary>What becomes of another node's request.</summary>
internal abstract record CallVerdict
{
    private CallVerdict() { }

    /// <summary>Carry out this, which may be less than was asked for.</summary>
    public sealed record Allowed(ReplicaRequest Request) : CallVerdict;

    public sealed record Answered(ReplicaReply Reply) : CallVerdict;

    public sealed record Refused(string Why) : CallVerdict;

    /// <summary>To be believed only if others know it too.</summary>
    public sealed record Claimed(ReplicaRequest.NewConfiguration News, TileConfiguration Known) : CallVerdict;
}
