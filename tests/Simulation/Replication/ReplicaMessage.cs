using ChordChat.Core.Tiles;

namespace ChordChat.Tests.Simulation.Replication;

/// <summary>What simulated nodes send each other: a question to a replica, or the answer to one.</summary>
internal abstract record ReplicaMessage(long Call)
{
    public sealed record Question(long Call, ReplicaRequest Request) : ReplicaMessage(Call)
    {
        public override string ToString() => $"#{Call} {Request.GetType().Name} {Detail(Request)}";
    }

    public sealed record Answer(long Call, ReplicaReply Reply) : ReplicaMessage(Call)
    {
        public override string ToString() => $"#{Call} {Reply.GetType().Name} {Detail(Reply)}";
    }

    private static string Detail(object what) => what switch
    {
        ReplicaRequest.Prepare prepare => $"@{prepare.At.Epoch} {prepare.Key} {prepare.Ballot}",
        ReplicaRequest.Accept accept => $"@{accept.At.Epoch} {accept.Key} {accept.Ballot} [{Text(accept.Value)}]",
        ReplicaRequest.Seal seal => $"@{seal.At.Epoch} {seal.Ballot}",
        ReplicaRequest.Decide decide => $"@{decide.At.Epoch} {decide.Ballot} {decide.Next}",
        ReplicaRequest.NewConfiguration news => $"{news.Next} after {news.Previous}",
        ReplicaRequest request => $"@{request.At.Epoch}",
        ReplicaReply.Promised promised => $"{promised.AcceptedBallot} [{Text(promised.Value)}]",
        ReplicaReply.Peeked peeked => $"{peeked.AcceptedBallot} [{Text(peeked.Value)}]",
        ReplicaReply.Nack nack => $"{nack.Highest}",
        ReplicaReply.Standing standing => $"{standing.Phase} {standing.Newest}",
        ReplicaReply.Stale stale => $"{stale.Newest}",
        ReplicaReply.Behind behind => $"{behind.Configuration}",
        _ => "",
    };

    private static string Text(ReadOnlyMemory<byte> list) => string.Join(' ', History.Entries(list.Span));
}
