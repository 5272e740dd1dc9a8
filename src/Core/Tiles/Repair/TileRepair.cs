using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Repair;

/// <summary>Fetches from one other active member what this node's copy of a tile lacks; the other does the same for
/// its own.</summary>
/// <remarks>docs/protocol.md#repair. Piece by piece in key order: list what is here, ask for what is missing, keep
/// it. Whoever does not answer in time is asked again in the next round.</remarks>
/// <param name="theirs">The other's 256 sums.</param>
public sealed class TileRepair(
    NodeId self,
    NodeId other,
    TileConfiguration configuration,
    ImmutableArray<UInt128> theirs,
    CoordinatorOptions options)
    : Coordinator(configuration, options, seed: 0)
{
    private ReplicaRequest? _asked;
    private ReplicaReply.Listed? _listed;
    private TileCursor? _more;

    /// <summary>Unix milliseconds of now: what is fetched long after it is not taken any more.</summary>
    public long BegunMs { get; init; } = long.MaxValue;

    /// <summary>Rows that the other sent.</summary>
    public int FetchedCount { get; private set; }

    private protected override NodeId? Self => self;

    private protected override void Begin() =>
        Ask(self, new ReplicaRequest.ListRows(Configuration.At, theirs, default));

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (!ReferenceEquals(request, _asked))
            return;
        switch (request, reply)
        {
            case (ReplicaRequest.ListRows list, ReplicaReply.Listed listed) when !listed.Buckets.IsEmpty:
                _listed = listed;
                Ask(other, new ReplicaRequest.Missing(
                    Configuration.At, listed.Buckets, list.After, listed.UpTo, listed.Rows));
                break;
            case (ReplicaRequest.Missing missing, ReplicaReply.Pulled { Page: var page }) when page.Answers(missing):
                FetchedCount += page.Registers.Length + page.Entries.Length;
                _more = page.Next;
                Ask(self, new ReplicaRequest.Mend(Configuration.At, page, BegunMs, other));
                break;
            case (ReplicaRequest.Mend, ReplicaReply.Done) when _more is { } more:
                Ask(other, new ReplicaRequest.Missing(
                    Configuration.At, _listed!.Buckets, more, _listed.UpTo, _listed.Rows));
                break;
            case (ReplicaRequest.Mend, ReplicaReply.Done) when _listed!.UpTo is { } upTo:
                Ask(self, new ReplicaRequest.ListRows(Configuration.At, theirs, upTo));
                break;
            default:
                IsDone = true; // All is done, or the epoch is over, or it was no answer.
                break;
        }
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request) => IsDone = true;

    private protected override void OnTimer() => IsDone = true;

    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        IsDone = true;
    }

    private void Ask(NodeId to, ReplicaRequest request)
    {
        _asked = request;
        Send(to, request);
        SetTimer(Options.RoundTimeout * 5);
    }
}
