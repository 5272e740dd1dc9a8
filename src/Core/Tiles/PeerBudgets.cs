using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>Counts what each other node makes grow here, and says when it is too much.</summary>
/// <remarks>docs/protocol.md#what-peers-make-grow. In memory: after a restart every node begins anew. Times are running
/// times in milliseconds.</remarks>
internal sealed class PeerBudgets(PeerLimits limits)
{
    /// <summary>More than a ring has members.</summary>
    private const int PeersMax = 8_192;

    /// <summary>Sets whose mail is counted; past it all begin anew, and levels fall with time only.</summary>
    private const int SetsMax = 100_000;

    private readonly Dictionary<NodeId, Budget> _budgets = [];
    private readonly Dictionary<string, Dictionary<NodeId, Share>> _mail = [];

    /// <summary>Whether this node may have a promise for a register that is not here yet.</summary>
    public bool MayPromise(NodeId to, long nowMs)
    {
        var budget = Of(to, nowMs);
        return budget.Promises < limits.PromisesMax && budget.Registers < limits.RegisterBytesMax;
    }

    public void Promised(NodeId to, long nowMs) => Of(to, nowMs).Promises++;

    /// <summary>What to promise in place of a ballot that is too far above the highest of its kind; null when the
    /// ballot may be taken.</summary>
    /// <returns>The highest itself when this node has leapt too often: then nothing changes.</returns>
    /// <remarks>docs/protocol.md#rounds-apart. The replica's own node is counted, too: others could make it
    /// leap.</remarks>
    public Ballot? InsteadOf(Ballot ballot, Ballot highest, NodeId from, long nowMs) =>
        !ballot.IsLeapAbove(highest) ? null
        : !TakeLeap(from, nowMs) ? highest
        : ballot.IsTooFarAbove(highest) ? ballot.OneStepAbove(highest)
        : null;

    /// <summary>Whether this node may take a fresh promise away from another one.</summary>
    public bool TakeOvertaking(NodeId from, long nowMs)
    {
        var budget = Of(from, nowMs);
        if (budget.Overtakings > limits.OvertakingsMax - 1)
            return false;
        budget.Overtakings++;
        return true;
    }

    private bool TakeLeap(NodeId from, long nowMs)
    {
        var budget = Of(from, nowMs);
        if (budget.Leaps > limits.LeapsMax - 1)
            return false;
        budget.Leaps++;
        return true;
    }

    /// <summary>Whether this node may make registers larger by so many bytes.</summary>
    public bool MayWrite(NodeId from, long bytes, long nowMs) =>
        bytes <= 0 || Of(from, nowMs).Registers < limits.RegisterBytesMax;

    /// <param name="bytes">By which the register has grown; what it has shrunk by is given back, so that a user who
    /// makes a register larger and smaller again through one node does not use up what that has for
    /// everybody.</param>
    /// <param name="fills">A promise that this node had before: it is open no longer.</param>
    public void Wrote(NodeId from, long bytes, bool fills, long nowMs)
    {
        var budget = Of(from, nowMs);
        budget.Registers = Math.Max(0, budget.Registers + bytes);
        if (fills)
            budget.Promises = Math.Max(0, budget.Promises - 1);
    }

    public bool MayAdd(NodeId from, long nowMs) => Of(from, nowMs).Mail < limits.MailBytesMax;

    public void Added(NodeId from, string set, int contentBytes, long nowMs)
    {
        if (_mail.Count >= SetsMax && !_mail.ContainsKey(set))
            _mail.Clear();
        if (!_mail.TryGetValue(set, out var shares))
            _mail[set] = shares = [];
        var bytes = contentBytes + PeerLimits.MessageBytes;
        var (count, all) = shares.GetValueOrDefault(from);
        shares[from] = new(count + 1, all + bytes);
        Of(from, nowMs).Mail += bytes;
    }

    /// <summary>A message was deleted that is not here: only the mark of it is.</summary>
    public void Marked(NodeId from, long nowMs) => Of(from, nowMs).Mail += PeerLimits.MarkBytes;

    /// <summary>A message of this set is gone. Who brought it is not remembered: whoever has brought most is given it
    /// back.</summary>
    public void Buried(string set, long nowMs)
    {
        if (!_mail.TryGetValue(set, out var shares))
            return;
        var (from, (count, all)) = shares.MaxBy(share => share.Value.Count);
        var bytes = all / count;
        var budget = Of(from, nowMs);
        budget.Mail = Math.Max(0, budget.Mail - bytes);
        if (count > 1)
            shares[from] = new(count - 1, all - bytes);
        else if (shares.Count > 1)
            shares.Remove(from);
        else
            _mail.Remove(set);
    }

    private Budget Of(NodeId node, long nowMs)
    {
        if (!_budgets.TryGetValue(node, out var budget))
        {
            if (_budgets.Count >= PeersMax)
                _budgets.Clear();
            _budgets[node] = budget = new Budget { AtMs = nowMs };
        }

        var seconds = Math.Max(0, nowMs - budget.AtMs) / 1_000.0;
        budget.AtMs = nowMs;
        budget.Promises = Math.Max(0, budget.Promises - (seconds / limits.PromiseEvery.TotalSeconds));
        budget.Leaps = Math.Max(0, budget.Leaps - (seconds / limits.LeapEvery.TotalSeconds));
        budget.Overtakings = Math.Max(0, budget.Overtakings - (seconds / limits.OvertakingEvery.TotalSeconds));
        budget.Registers = Math.Max(0, budget.Registers - (seconds * limits.RegisterBytesPerSecond));
        budget.Mail = Math.Max(0, budget.Mail - (seconds * limits.MailBytesPerSecond));
        return budget;
    }

    private readonly record struct Share(long Count, long Bytes);

    private sealed class Budget
    {
        public long AtMs { get; set; }

        public double Promises { get; set; }

        public double Leaps { get; set; }

        public double Overtakings { get; set; }

        public double Registers { get; set; }

        public double Mail { get; set; }
    }
}
