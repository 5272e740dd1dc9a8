using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>Finds out for a node that was away for long whether the others have gone on without it: then its rows of
/// the tile do not count.</summary>
/// <remarks>docs/protocol.md#tombstones. Others that are or were away themselves do not count, so when all were off
/// together all keep what they have.</remarks>
public sealed class Homecoming(NodeId self, TileConfiguration configuration, CoordinatorOptions options)
    : Coordinator(configuration, options, seed: 0)
{
    private readonly HashSet<NodeId> _active = [];
    private readonly HashSet<NodeId> _heard = [];
    private ReplicaRequest? _asked;

    private protected override NodeId? Self => self;

    private protected override void Begin()
    {
        _active.Clear();
        _heard.Clear();
        _asked = new ReplicaRequest.GetConfiguration(Configuration.Tile);
        foreach (var member in Configuration.Members)
            if (member != self)
                Send(member, _asked);
        SetTimer(Options.RoundTimeout * 5);
        Judge();
    }

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (!ReferenceEquals(request, _asked))
            return;
        if (reply is ReplicaReply.Standing news && IsNews(news.Newest))
        {
            if (!Hear(from, news.Newest, news.Previous))
                AskAround(from); // Until the time is over it has said nothing: its claim may be true.
            return;
        }

        _heard.Add(from);
        if (reply is ReplicaReply.Standing { Phase: TilePhase.Active, WasAway: false } standing
            && standing.Newest == Configuration)
            _active.Add(from);
        Judge();
    }

    /// <summary>Asked again when the time is over: it may be starting.</summary>
    private protected override void OnSilence(NodeId from, ReplicaRequest request) { }

    private protected override void OnTimer()
    {
        if (MayTryAgain())
            Begin();
        else
            End(new ReplicaRequest.Readmit(Configuration.At));
    }

    /// <summary>The next epoch is decided: this node learns it from nothing, or has left.</summary>
    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        End(new ReplicaRequest.NewConfiguration(newest, previous));
    }

    private void Judge()
    {
        if (_active.Count >= Majority)
            End(new ReplicaRequest.Distrust(Configuration.Tile, Configuration.At));
        else if (_heard.Count == Configuration.Members.Length - 1)
            End(new ReplicaRequest.Readmit(Configuration.At));
    }

    private void End(ReplicaRequest verdict)
    {
        Send(self, verdict);
        IsDone = true;
    }
}
