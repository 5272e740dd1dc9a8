using System.Collections.Immutable;
using System.Globalization;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Operations;

/// <summary>The settings that are to be the same at all nodes of a cluster, by name, as text.</summary>
/// <remarks>docs/operations.md#the-same-at-all-nodes.</remarks>
internal sealed record ClusterSettings(ImmutableSortedDictionary<string, string> Values) : ISharedSettings
{
    private const string PresetName = "preset";

    private static readonly (string Section, Type Options, string[] Names)[] Shared =
    [
        ("Ages", typeof(RowAges), [.. SettingSections.NamesIn("Ages")]),
        ("Chat", typeof(ChatOptions), [nameof(ChatOptions.Presence), nameof(ChatOptions.Registration)]),
        ("Steward", typeof(StewardOptions),
            [nameof(StewardOptions.SplitBytes), nameof(StewardOptions.SplitPerNode)]),
    ];

    /// <summary>Those of a node that was told nothing.</summary>
    public static ClusterSettings Default { get; } =
        Of(new NodeOptions { Data = "" }.Preset, new ConfigurationBuilder().Build());

    public static ClusterSettings Of(Preset preset, IConfiguration settings)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        values[PresetName] = Text(preset).ToLowerInvariant();
        foreach (var (section, type, names) in Shared)
        {
            var options = settings.GetSection(section).Get(type) ?? Activator.CreateInstance(type)!;
            foreach (var name in names)
                values[$"{section}:{name}"] = Text(type.GetProperty(name)!.GetValue(options)!);
        }

        return new(values.ToImmutable());
    }

    /// <summary>What is not as at a node that was told nothing.</summary>
    public IEnumerable<KeyValuePair<string, string>> Changed =>
        Values.Where(setting => Default.Values[setting.Key] != setting.Value);

    /// <summary>Where another node has it otherwise, in the order of the names. What it tells that is no setting here,
    /// or no value of one, is as if it had not been told.</summary>
    public IEnumerable<SettingDifference> Compare(IReadOnlyCollection<KeyValuePair<string, string>> told) =>
        from setting in told.OrderBy(setting => setting.Key, StringComparer.Ordinal)
        where Values.ContainsKey(setting.Key) && Values[setting.Key] != setting.Value
        let theirs = Read(setting, told)
        where theirs is not null && theirs != Values[setting.Key]
        select new SettingDifference(setting.Key, Values[setting.Key], theirs);

    /// <summary>Of what another node tells what can be set here and is not so anyway.</summary>
    public static IReadOnlyDictionary<string, string> ToTakeOver(
        IReadOnlyCollection<KeyValuePair<string, string>> told) =>
        Default.Compare(told).ToDictionary(setting => setting.Name, setting => setting.Theirs);

    /// <summary>The settings for which another node tells a value that no node can have.</summary>
    public static IEnumerable<string> Absurd(IReadOnlyCollection<KeyValuePair<string, string>> told) =>
        from setting in told.OrderBy(setting => setting.Key, StringComparer.Ordinal)
        where Default.Values.TryGetValue(setting.Key, out var value) && value != setting.Value
            && Read(setting, told) is null
        select setting.Key;

    /// <summary>A value as this program writes it; null when the setting cannot have it.</summary>
    /// <param name="told">Ages are judged together: one limits the other.</param>
    private static string? Read(
        KeyValuePair<string, string> setting, IReadOnlyCollection<KeyValuePair<string, string>> told)
    {
        var isAge = IsAge(setting.Key);
        var values = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var (name, value) in told.Where(other => isAge && IsAge(other.Key)).Append(setting))
            values[name] = value;
        var together = new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        var problems = new List<string>();
        var options = NodeSettings.Read("", together, problems);
        return problems.Count == 0 ? Of(options.Preset, together).Values[setting.Key] : null;
    }

    private static bool IsAge(string name) =>
        name.StartsWith("Ages:", StringComparison.Ordinal) && Default.Values.ContainsKey(name);

    private static string Text(object value) => value is TimeSpan time
        ? time.ToString("c", CultureInfo.InvariantCulture)
        : Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
