using System.Collections.Immutable;
using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Epochs;

/// <summary>One round of telling the members of a configuration, and of the one before, that it is decided, and of
/// hearing how far they are.</summary>
/// <remarks>
/// docs/protocol.md#announcement. An active member repeats it until everybody has followed; a leaver, until its rows
/// are needed no more: docs/protocol.md#leavers. With nothing to tell it is an audit: a member that slept through
/// changes hears of them.
/// </remarks>
public sealed class Announcement : Coordinator
{
    private readonly NodeId _self;
    private readonly TileHeader _header;
    private readonly ReplicaRequest.NewConfiguration _news;
    private readonly NodeId[] _others;
    private readonly HashSet<NodeId> _active = [];
    private readonly HashSet<NodeId> _complete = [];
    private readonly HashSet<NodeId> _lost = []; // Damaged, or away for long: not mended in this epoch.
    private readonly HashSet<NodeId> _learning = [];
    private readonly HashSet<NodeId> _told = [];
    private readonly HashSet<NodeId> _heard = [];

    public Announcement(NodeId self, TileHeader header, CoordinatorOptions options)
        : base(header.Newest, options, seed: 0)
    {
        (_self, _header) = (self, header);
        _news = new ReplicaRequest.NewConfiguration(header.Newest, header.BeforeNewest);
        var before = header.BeforeNewest?.Members ?? [];
        _others = [.. header.Newest.Members.Union(before).Where(node => node != self)];
        if (header.Phase == TilePhase.Active)
            _active.Add(self);
    }

    /// <summary>Those that have said, now or before, that they are complete in this very epoch.</summary>
    internal ImmutableHashSet<NodeId> Complete
    {
        get => [.. _complete];
        init => _complete.UnionWith(value);
    }

    /// <summary>Whether the epoch may end, as far as this node knows; null when that was not the question.
    /// docs/protocol.md#one-change-at-a-time</summary>
    internal bool? MayEnd { get; private set; }

    /// <summary>Those that have said how far they are, or that they know more; and those that have not.</summary>
    internal IReadOnlyCollection<NodeId> Heard => _heard;
    internal IEnumerable<NodeId> Unheard => _others.Where(node => !_heard.Contains(node));

    /// <summary>Whether a node is there, as far as this one knows by itself.</summary>
    internal Func<NodeId, bool> Answers { get; init; } = static _ => true;

    /// <summary>Those that have answered nothing for long. They count if they answer now.</summary>
    internal ImmutableHashSet<NodeId> Silent { get; init; } = [];

    /// <summary>Whether whoever learns has had its time.</summary>
    internal bool IsLate { get; init; }

    private protected override NodeId? Self => _self;

    private protected override void Begin()
    {
        if (_header is { Pending: null, Phase: TilePhase.Active or TilePhase.Sealed })
            _complete.Add(_self);
        else if (_complete.Remove(_self) || _header.Pending is null)
            _lost.Add(_self);
        foreach (var node in _others)
            Send(node, _news);
        SetTimer(Options.RoundTimeout);
        FinishWhenHeard();
    }

    private protected override void OnReply(NodeId from, ReplicaRequest request, ReplicaReply reply)
    {
        if (!ReferenceEquals(request, _news))
            return;
        _heard.Add(from);
        if (reply is not ReplicaReply.Standing standing || !Configuration.Tile.Contains(standing.Newest.Tile))
            return;
        if (IsNews(standing.Newest))
        {
            _complete.Add(from); // It needs nothing of this epoch any more.
            if (!Hear(from, standing.Newest, standing.Previous))
                AskAround(from); // The next round hears it again.
            return;
        }

        if (standing.Newest.At != Configuration.At)
            return; // Nobody has confirmed it there yet.
        if (standing.Newest == Configuration)
        {
            _told.Add(from);
            if (standing.Phase == TilePhase.Active)
                _active.Add(from);
        }

        switch (standing.Phase) // Of members that a liar has split, too: they drop nothing when this epoch ends.
        {
            case TilePhase.Active or TilePhase.Sealed:
                _complete.Add(from);
                break;
            case TilePhase.Damaged or TilePhase.Away:
                _lost.Add(from);
                _complete.Remove(from);
                break;
            case TilePhase.Learning:
                _learning.Add(from);
                break;
        }

        FinishWhenHeard();
    }

    private protected override void OnSilence(NodeId from, ReplicaRequest request) { }

    private protected override void OnTimer() => Finish();

    private protected override void Meet(TileConfiguration newest, TileConfiguration? previous)
    {
        Emit(new Effect.Learned(newest, previous));
        Send(_self, new ReplicaRequest.NewConfiguration(newest, previous));
        IsDone = true;
    }

    private void FinishWhenHeard()
    {
        if (_told.Count == _others.Length)
            Finish();
    }

    private void Finish()
    {
        if (_header is { Pending: null, Previous: not null })
        {
            var isReady = IsReady();
            MayEnd = isReady;
            Send(_self, new ReplicaRequest.MayEnd(Configuration.At, isReady));
        }

        if (_header.Phase == TilePhase.Sealed && !Configuration.Contains(_self) && MayRetire())
            Send(_self, new ReplicaRequest.Retire(Configuration.At));
        else if (_header is { Phase: TilePhase.Active, Previous: not null }
            && Configuration.Members.All(_active.Contains) && _told.Count == _others.Length)
            Send(_self, new ReplicaRequest.Settle(Configuration.At));
        IsDone = true;
    }

    /// <summary>A majority is active, and whoever else may still learn what this copy knows. One member of a majority
    /// may lie about the rows, and that it is active.</summary>
    private bool MayRetire() =>
        Configuration.Members.Count(_active.Contains) >= Configuration.Majority
        && Configuration.Members.All(node => _active.Contains(node) || IsGone(node) || IsLate);

    /// <summary>Whoever answers, but does not say that it learns in this very epoch, is waited for however long it
    /// takes: somebody may keep it from hearing of the epoch. If one more than a majority is complete, those of them
    /// who do not lie make a majority, and no other one is needed.</summary>
    private bool IsReady() => Configuration.Members.Count(_complete.Contains) > Configuration.Majority
        || Configuration.Members.All(node =>
            _complete.Contains(node) || _lost.Contains(node) || IsGone(node) || (IsLate && _learning.Contains(node)));

    private bool IsGone(NodeId node) => !_heard.Contains(node) && (!Answers(node) || Silent.Contains(node));
}
