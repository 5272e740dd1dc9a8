using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Registers;

/// <summary>Asks the members what they hold of a disputed register; what a majority holds under one ballot is taken
/// here, too.</summary>
/// <remarks>docs/protocol.md#disputes. Without such a majority nothing changes; the next repair begins the dispute
/// again.</remarks>
public sealed class DisputeSettling(
    NodeId self, TileConfiguration configuration, string key, CoordinatorOptions options)
    : Coordinator(configuration, options, seed: 0)
{
    private readonly Dictionary<NodeId, ReplicaReply.Peeked> _peeked = [];
    private readonly HashSet<NodeId> _silent = [];
    private ReplicaRequest? _asked;

    private protected override NodeId? Self => self;

    private protected override void Begin()
    {
        _asked = new ReplicaRequest.Peek(Configuration.At, key);
        foreach (var member in Configuration.Members)
            Send(member, _asked);
        SetTimer(Options.RoundTimeout);
    }

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (!ReferenceEquals(request, _asked))
            return;
        if (request is ReplicaRequest.Concede)
            IsDone = true;
        else if (reply is ReplicaReply.Peeked peeked)
            OnPeeked(from, peeked);
        else
            OnSilence(from, request);
    }

    private void OnPeeked(NodeId from, ReplicaReply.Peeked peeked)
    {
        _peeked[from] = peeked;
        if (_peeked.Values.Count(IsSame) >= Majority)
        {
            _asked = new ReplicaRequest.Concede(Configuration.At, key, peeked.AcceptedBallot, peeked.Value);
            Send(self, _asked);
        }
        else
            EndWhenAllAreHeard();

        bool IsSame(ReplicaReply.Peeked other) =>
            other.AcceptedBallot == peeked.AcceptedBallot && other.Value.Span.SequenceEqual(peeked.Value.Span);
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (!ReferenceEquals(request, _asked) || request is not ReplicaRequest.Peek)
            return;
        _silent.Add(from);
        EndWhenAllAreHeard();
    }

    private void EndWhenAllAreHeard() => IsDone = _peeked.Count + _silent.Count == Configuration.Members.Length;

    private protected override void OnTimer() => IsDone = true;

    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        IsDone = true;
    }
}
