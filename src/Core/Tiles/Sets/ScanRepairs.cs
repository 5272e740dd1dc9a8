using System.Diagnostics.CodeAnalysis;

namespace ChordChat.Core.Tiles.Sets;

/// <summary>What a scan adds to members that lack it: what is still to be sent, and what is not answered yet.</summary>
internal sealed class ScanRepairs
{
    private readonly Queue<ReplicaRequest.Add> _unsent = [];
    private readonly Dictionary<ReplicaRequest, int> _open = new(ReferenceEqualityComparer.Instance);

    public bool AreDone => _open.Count == 0;

    /// <summary>Sent and not answered, each with its member.</summary>
    public IReadOnlyList<KeyValuePair<ReplicaRequest, int>> Unanswered
    {
        get
        {
            var unsent = _unsent.ToHashSet<ReplicaRequest>(ReferenceEqualityComparer.Instance);
            return [.. _open.Where(repair => !unsent.Contains(repair.Key))];
        }
    }

    public void Add(ReplicaRequest.Add repair, int member)
    {
        _open.Add(repair, member);
        _unsent.Enqueue(repair);
    }

    /// <summary>The next one to be sent.</summary>
    public bool TryNext([NotNullWhen(true)] out ReplicaRequest.Add? repair) => _unsent.TryDequeue(out repair);

    /// <summary>Whether this request is one of them, and has no answer yet.</summary>
    public bool IsOpen(ReplicaRequest request, out int member) => _open.TryGetValue(request, out member);

    public void Answered(ReplicaRequest.Add repair) => _open.Remove(repair);

    /// <summary>Sends one again, once, that was called too late because our calendar is behind theirs.</summary>
    /// <param name="begunMs">What it said before.</param>
    /// <returns>Whether it is sent again.</returns>
    public bool IsSentAgain(ReplicaRequest.Add repair, long begunMs, long theirsMs, long oursMs)
    {
        var sentMs = SetAdd.ByTheirCalendar(begunMs, theirsMs, oursMs);
        if (repair.SentMs != begunMs || sentMs == begunMs || !_open.Remove(repair, out var member))
            return false;
        Add(repair with { SentMs = sentMs }, member);
        return true;
    }

    public void Clear()
    {
        _unsent.Clear();
        _open.Clear();
    }
}
