using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Wire;

namespace ChordChat.Node.Ring;

/// <summary>What probes tell of the settings that are to be the same at all nodes: says once what another node has
/// otherwise.</summary>
/// <remarks>docs/protocol.md#ring-settings-of-the-cluster. Safe for threads.</remarks>
internal sealed partial class SettingNews(ISharedSettings own, TimeProvider time, ILogger<SettingNews> logger)
{
    /// <summary>More than any version has; a member that lies could tell more.</summary>
    public const int SettingsMax = 64;

    /// <summary>More nodes than a cluster has; beyond it all are forgotten, and what they have otherwise is said once
    /// more.</summary>
    private const int NodesMax = 4_096;

    /// <summary>Lines a minute of one node, so that none takes those of all others.</summary>
    private const int OfNodeMax = 2;

    private readonly Lock _turn = new();
    private readonly Dictionary<NodeId, Heard> _heard = [];
    private readonly LineBudget _lines = new(8);

    /// <summary>What goes into this node's probes.</summary>
    public IEnumerable<ClusterSetting> Own { get; } =
        [.. own.Values.Select(setting => new ClusterSetting { Name = setting.Key, Value = setting.Value })];

    /// <param name="name">As the node's certificate says it.</param>
    public void Hear(NodeId node, string name, IReadOnlyList<ClusterSetting> told)
    {
        if (told.Count is 0 or > SettingsMax)
            return;
        var hash = HashOf(told);
        lock (_turn)
            if (_heard.TryGetValue(node, out var before) && before.Told == hash)
                return;
        var differs = string.Join("; ", own.Compare(
            told.DistinctBy(setting => setting.Name).ToDictionary(setting => setting.Name, setting => setting.Value)));
        Judge(node, name, hash, differs);
    }

    /// <summary>What many nodes have otherwise in the same way is one line.</summary>
    private void Judge(NodeId node, string name, int hash, string differs)
    {
        string before;
        lock (_turn)
        {
            if (_heard.Count >= NodesMax && !_heard.ContainsKey(node))
                _heard.Clear();
            var known = _heard.GetValueOrDefault(node) ?? new(hash, "", new LineBudget(OfNodeMax));
            before = known.Differs;
            var now = (long)time.GetElapsedTime(0).TotalMilliseconds;
            var isNews = IsNews(node, before, differs);
            if (isNews && !(known.Lines.Allows(now, out _) && _lines.Allows(now, out _)))
                return; // It is told again with the next probe, if it is so still.
            _heard[node] = known with { Told = hash, Differs = differs };
            if (!isNews)
                return;
        }

        if (differs.Length > 0)
            LogDiffers(name, differs);
        else
            LogSame(name, before);
    }

    /// <summary>Whether a difference begins that no node had, or ends that no other has.</summary>
    private bool IsNews(NodeId node, string before, string differs) => differs != before
        && _heard.All(other => other.Key == node || other.Value.Differs != (differs.Length > 0 ? differs : before));

    private static int HashOf(IReadOnlyList<ClusterSetting> told)
    {
        var hash = new HashCode();
        foreach (var setting in told)
        {
            hash.Add(setting.Name);
            hash.Add(setting.Value);
        }

        return hash.ToHashCode();
    }

    [LoggerMessage(6010, LogLevel.Warning,
        "{Name} has other settings than this node, but all nodes should have the same: {Differs}. Change "
        + "DATA/appsettings.json of one of the two and restart that node")]
    private partial void LogDiffers(string name, string differs);

    [LoggerMessage(6011, LogLevel.Information, "{Name} has the same settings as this node again; before: {Differed}")]
    private partial void LogSame(string name, string differed);

    private sealed record Heard(int Told, string Differs, LineBudget Lines);
}

/// <summary>What is to be the same at all nodes of a cluster, as this one has it.</summary>
internal interface ISharedSettings
{
    /// <summary>By name, as text.</summary>
    ImmutableSortedDictionary<string, string> Values { get; }

    /// <summary>Where another node has it otherwise, in the order of the names.</summary>
    IEnumerable<SettingDifference> Compare(IReadOnlyCollection<KeyValuePair<string, string>> told);
}

/// <summary>A setting that another node has otherwise than this one.</summary>
internal sealed record SettingDifference(string Name, string Own, string Theirs)
{
    public override string ToString() => $"{Name} is {Theirs} there and {Own} here";
}
