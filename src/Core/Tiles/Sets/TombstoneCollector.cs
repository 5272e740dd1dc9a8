using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Sets;

/// <summary>Goes once through this node's copy of a tile: forgets tombstones that nobody needs any more, and
/// acknowledges messages that have expired.</summary>
/// <remarks>
/// docs/protocol.md#tombstones. To forget takes the word of all members, to expire that of a majority. This node
/// forgets last: as long as anybody has a tombstone that the others have forgotten, somebody is left to ask for it.
/// </remarks>
public sealed class TombstoneCollector(NodeId self, TileConfiguration configuration, CoordinatorOptions options)
    : Coordinator(configuration, options, seed: 0)
{
    /// <summary>Ids in one request.</summary>
    public const int IdsMax = 512;

    private readonly Queue<(string Set, ImmutableArray<MessageId> Ids)> _batches = [];
    private readonly Dictionary<NodeId, ImmutableArray<EntryAge>> _ages = [];
    private readonly HashSet<NodeId> _open = [];
    private ReplicaRequest? _asked;
    private TileCursor? _next;

    internal ReplicaRules Rules { get; init; } = ReplicaRules.Protocol;

    /// <summary>Tombstones that every member has forgotten.</summary>
    public int ForgottenCount { get; private set; }

    public int ExpiredCount { get; private set; }

    private protected override NodeId? Self => self;

    private protected override void Begin() => List(default);

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (!ReferenceEquals(request, _asked))
            return;
        switch (request, reply)
        {
            case (ReplicaRequest.ListAged, ReplicaReply.Aged aged):
                _next = aged.Next;
                foreach (var set in aged.Entries.GroupBy(entry => entry.Set))
                    foreach (var some in set.Chunk(IdsMax))
                        _batches.Enqueue((set.Key, [.. some.Select(entry => entry.Id)]));
                GoOn();
                break;
            case (ReplicaRequest.GetAges ask, ReplicaReply.Ages ages) when ages.Of.Length == ask.Ids.Length:
                _ages[from] = ages.Of;
                Heard(from);
                break;
            case (ReplicaRequest.GetAges, _):
                Heard(from);
                break;
            case (ReplicaRequest.Forget forget, ReplicaReply.Forgotten) when from == self:
                ForgottenCount += forget.Ids.Length;
                GoOn();
                break;
            case (ReplicaRequest.Forget, ReplicaReply.Forgotten):
                Heard(from);
                break;
            case (ReplicaRequest.Forget, _):
                GoOn(); // Somebody keeps it still, and so does this node: next time.
                break;
            default:
                IsDone = true; // The epoch is over.
                break;
        }
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request)
    {
        if (!ReferenceEquals(request, _asked))
            return;
        if (request is ReplicaRequest.GetAges)
            Heard(from);
        else
            OnTimer();
    }

    /// <summary>Who has not answered by now counts as one that has it still.</summary>
    private protected override void OnTimer()
    {
        switch (_asked)
        {
            case ReplicaRequest.GetAges ask:
                Judge(ask);
                break;
            case ReplicaRequest.Forget:
                GoOn();
                break;
            default:
                IsDone = true;
                break;
        }
    }

    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        IsDone = true;
    }

    private void List(TileCursor after) =>
        Ask([self], new ReplicaRequest.ListAged(Configuration.At, after, Configuration.Members.IndexOf(self)));

    private void GoOn()
    {
        if (_batches.TryDequeue(out var batch))
        {
            _ages.Clear();
            Ask(Configuration.Members, new ReplicaRequest.GetAges(Configuration.At, batch.Set, batch.Ids));
        }
        else if (_next is { } next)
        {
            List(next);
        }
        else
        {
            IsDone = true;
        }
    }

    private void Heard(NodeId from)
    {
        if (!_open.Remove(from) || _open.Count > 0)
            return;
        if (_asked is ReplicaRequest.GetAges ask)
            Judge(ask);
        else if (_asked is ReplicaRequest.Forget forget)
            Ask([self], forget with { });
    }

    private void Judge(ReplicaRequest.GetAges ask)
    {
        var forgettable = ImmutableArray.CreateBuilder<MessageId>();
        var expired = ImmutableArray.CreateBuilder<MessageId>();
        for (var i = 0; i < ask.Ids.Length; i++)
            if (_ages.Count >= (Rules.ForgettingTakesAll ? Configuration.Members.Length : Majority)
                && _ages.Values.All(ages => ages[i] is EntryAge.Absent or EntryAge.OldTombstone))
                forgettable.Add(ask.Ids[i]);
            else if (_ages.TryGetValue(self, out var own) && own[i] == EntryAge.ExpiredMessage
                && _ages.Values.Count(ages => ages[i] != EntryAge.Message) >= Majority)
                expired.Add(ask.Ids[i]);
        Expire(ask.Set, expired.ToImmutable());
        if (forgettable.Count == 0)
        {
            GoOn();
            return;
        }

        var forget = new ReplicaRequest.Forget(Configuration.At, ask.Set, forgettable.ToImmutable());
        Ask(Configuration.Members.Length == 1 ? [self] : Configuration.Members.Remove(self), forget);
    }

    /// <summary>Like a client's acknowledgement; who misses it finds it by repair.</summary>
    private void Expire(string set, ImmutableArray<MessageId> ids)
    {
        if (ids.IsEmpty)
            return;
        ExpiredCount += ids.Length;
        foreach (var member in Configuration.Members)
            Send(member, new ReplicaRequest.Acknowledge(Configuration.At, set, ids));
    }

    private void Ask(ImmutableArray<NodeId> members, ReplicaRequest request)
    {
        _asked = request;
        _open.Clear();
        _open.UnionWith(members);
        foreach (var member in members)
            Send(member, request);
        SetTimer(Options.RoundTimeout * 5);
    }
}
