using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles.Registers;

/// <summary>What the members that refused a ballot say of theirs, and so above which round the next one must
/// be.</summary>
/// <remarks>docs/protocol.md#rounds-apart. One of them may lie.</remarks>
internal sealed class Refusals
{
    private const ulong HalfStep = Ballot.StepMax / 2;

    /// <summary>How often one operation may begin again because a member has come nearer.</summary>
    private const int FreeMax = 64;

    private readonly List<ulong> _above = [];
    private readonly Dictionary<NodeId, Ballot> _nearest = [];
    private int _nearer;
    private int _free;

    /// <summary>A new question is asked.</summary>
    public void Clear()
    {
        _above.Clear();
        _nearer = 0;
    }

    /// <param name="highest">Of whoever refused. One of another epoch says nothing; one that is not above the ballot
    /// says that it was not refused for its round.</param>
    public void Add(Ballot asked, Ballot highest)
    {
        if (highest.Epoch == asked.Epoch && highest > asked)
            _above.Add(highest.Round);
    }

    /// <summary>The ballot was too far above what the member had; it says that it has come nearer.</summary>
    public void AddNearer(NodeId member, Ballot asked, Ballot highest)
    {
        if (highest.Epoch != asked.Epoch || highest >= asked || highest.Round < Ballot.StepMax
            || highest <= _nearest.GetValueOrDefault(member))
            return;
        _nearest[member] = highest;
        _nearer++;
    }

    /// <summary>Whether this round counts as none, since it has brought a member nearer.</summary>
    public bool IsFree() => _nearer > 0 && ++_free <= FreeMax;

    /// <summary>The next ballot must be above this one.</summary>
    /// <param name="refused">How many members have not said yes.</param>
    /// <param name="spare">How many a majority does without.</param>
    public Ballot Floor(Ballot asked, int refused, int spare)
    {
        if (_above.Count == 0)
            return asked;
        _above.Sort();
        // The largest that must be beaten for a majority. Those that gave no number cannot be beaten.
        var larger = spare - (refused - _above.Count);
        var near = Math.Min(_above[^1], asked.Round + HalfStep - 1);
        var floor = larger < 0 || larger >= _above.Count ? near
            : _nearer > 0 ? Math.Min(_above[^(larger + 1)], near)
            : _above[^(larger + 1)];
        return asked with { Round = Math.Max(asked.Round, floor) };
    }
}
