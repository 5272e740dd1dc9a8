using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>Asks others whether a configuration was decided that one node tells of.</summary>
/// <remarks>docs/protocol.md#one-voice-is-a-claim. One round; whoever tells the truth tells it again.</remarks>
/// <param name="known">What this node knows of the tile.</param>
public sealed class NewsCheck(
    NodeId from, ReplicaRequest.NewConfiguration news, TileConfiguration known, CoordinatorOptions options)
    : Coordinator(known, options, seed: 0)
{
    /// <summary>The news as far as they are to be believed, perhaps those of a later configuration; null: not
    /// yet.</summary>
    public ReplicaRequest.NewConfiguration? Outcome { get; private set; }

    /// <summary>The epoch that has ended if the news are true, when nobody confirms them and the change can be run
    /// again from there. docs/protocol.md#one-voice-is-a-claim</summary>
    public TileEpoch? EndDoubted => IsDone && Outcome is null && Configuration.Contains(from)
        && news.Next.Follows(Configuration.At) ? Configuration.At : null;

    private protected override void Begin()
    {
        SetTimer(Options.RoundTimeout * 5);
        if (!Hear(from, news.Next, news.Previous))
            AskAround(from);
    }

    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous) =>
        (Outcome, IsDone) = (new(newest, previous), true);

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply) { }

    private protected override void OnSilence(NodeId from, ReplicaRequest request) { }

    private protected override void OnDoubtful() => IsDone = true;

    private protected override void OnTimer() => IsDone = true;
}
