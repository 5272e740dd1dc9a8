using ChordChat.Core.Ring;
using ChordChat.Node.Hosting;
using ChordChat.Wire;

namespace ChordChat.Node.Transport;

/// <summary>What probes tell of the settings that are to be the same at all nodes: says once what another node has
/// otherwise.</summary>
/// <remarks>docs/protocol.md#ring-settings-of-the-cluster. Safe for threads.</remarks>
internal sealed partial class SettingNews(ClusterSettings own, TimeProvider time, ILogger<SettingNews> logger)
{
    /// <summary>More than any version has; a member that lies could tell more.</summary>
    public const int SettingsMax = 64;

    /// <summary>More nodes than a cluster has; beyond it all are forgotten, and what they have otherwise is said once
    /// more.</summary>
    private const int NodesMax = 4_096;

    private readonly Lock _turn = new();
    private readonly Dictionary<NodeId, (int Told, string Differs)> _heard = [];
    private readonly LineBudget _lines = new(8);

    /// <summary>What goes into this node's probes.</summary>
    public IEnumerable<ClusterSetting> Own { get; } =
        [.. own.Values.Select(setting => new ClusterSetting { Name = setting.Key, Value = setting.Value })];

    /// <param name="name">As the node's certificate says it.</param>
    public void Heard(NodeId node, string name, IReadOnlyList<ClusterSetting> told)
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
            before = _heard.GetValueOrDefault(node).Differs ?? "";
            if (_heard.Count >= NodesMax)
                _heard.Clear();
            var isNews = differs.Length > 0 && _heard.Values.All(other => other.Differs != differs);
            _heard[node] = (hash, differs);
            if (differs == before || (differs.Length > 0 && !isNews)
                || (differs.Length == 0 && _heard.Values.Any(other => other.Differs == before))
                || !_lines.Allows((long)time.GetElapsedTime(0).TotalMilliseconds, out _))
                return;
        }

        if (differs.Length > 0)
            LogDiffers(name, differs);
        else
            LogSame(name, before);
    }

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
}
