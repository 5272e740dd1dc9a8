using System.Reflection;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;
using ChordChat.Node.Chat;
using ChordChat.Node.Ring;
using ChordChat.Node.Storage;
using ChordChat.Node.Tiles;
using ChordChat.Node.View;

namespace ChordChat.Node.Operations;

/// <summary>The sections of a node's settings, and what is wrong in them.</summary>
/// <remarks>docs/operations.md#settings. A misspelt <c>Registration</c> would leave registration open without a word,
/// so what a section has no setting for is refused.</remarks>
internal static class SettingSections
{
    private static readonly Dictionary<string, Section> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Ages"] = new(typeof(RowAges), (section, _) => section.Get<RowAges>()?.Problems()),
        ["Chat"] = new(typeof(ChatOptions), (section, _) => section.Get<ChatOptions>()?.Problems()),
        ["Collection"] = new(typeof(CollectionOptions)),
        ["Membership"] = new(
            typeof(MembershipOptions), (section, preset) => RingServices.Membership(preset, section).Problems()),
        ["Peers"] = new(typeof(PeerLimits)),
        ["Repair"] = new(typeof(RepairOptions)),
        ["Replication"] = new(typeof(CoordinatorOptions)),
        ["Ring"] = new(typeof(RingOptions), (section, _) => section.Get<RingOptions>()?.Problems()),
        ["Scrub"] = new(typeof(ScrubOptions)),
        ["Steward"] = new(typeof(StewardOptions), (section, _) => section.Get<StewardOptions>()?.Problems()),
        ["Storage"] = new(typeof(StorageOptions)),
        ["View"] = new(typeof(ViewOptions)),
    };

    public static IEnumerable<string> Names => Known.Keys;

    /// <summary>The settings of a section.</summary>
    public static IEnumerable<string> NamesIn(string section) => Known[section].Names;

    public static void Check(IConfiguration settings, Preset preset, ICollection<string> problems)
    {
        foreach (var section in settings.GetChildren().Where(s => s.Value is null && !NodeSettings.IsSetting(s.Key)))
            if (Known.TryGetValue(section.Key, out var known))
                Check(section, known, preset, problems);
            else if (!IsOfEnvironment(section.Key))
                problems.Add(
                    $"'{section.Key}' is no section of the settings; there are {string.Join(", ", Known.Keys)}.");
    }

    private static void Check(
        IConfigurationSection section, Section known, Preset preset, ICollection<string> problems)
    {
        var before = problems.Count;
        foreach (var setting in section.GetChildren())
            if (known.Find(setting.Key) is not { } property)
                problems.Add(
                    $"'{setting.Path}' is no setting; {section.Key} has {string.Join(", ", known.Names)}.");
            else if (!CanBeRead(setting, property.PropertyType))
                problems.Add($"{setting.Path} is '{setting.Value}'; it must be {Words(property.PropertyType)}.");

        if (problems.Count > before)
            return; // What cannot be read cannot be judged.
        foreach (var problem in known.Problems?.Invoke(section, preset) ?? [])
            problems.Add($"{section.Key}: {problem}");
    }

    private static bool CanBeRead(IConfigurationSection setting, Type type)
    {
        try
        {
            return setting.Get(type) switch
            {
                null => false,
                TimeSpan time => time >= TimeSpan.Zero,
                int number => number >= 0,
                long number => number >= 0,
                Enum choice => Enum.IsDefined(type, choice),
                _ => true,
            };
        }
        catch (InvalidOperationException)
        {
            return false; // The binder's word for a value that does not parse.
        }
    }

    private static string Words(Type type) =>
        Nullable.GetUnderlyingType(type) is { } inner ? Words(inner)
        : type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(TimeSpan) ? "a time such as 00:00:05 (hours:minutes:seconds) or 14.00:00:00 (with days)"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) || type == typeof(uint) ? "a whole number, 0 or more"
        : $"a {type.Name}";

    // Other programs may have variables of their own that begin with CHORDCHAT_.
    private static bool IsOfEnvironment(string key) => Environment.GetEnvironmentVariables().Keys.Cast<string>().Any(
        name => name.StartsWith($"CHORDCHAT_{key}__", StringComparison.OrdinalIgnoreCase));

    /// <param name="Problems">What its own type finds wrong, given the section and the preset.</param>
    private sealed record Section(
        Type Options, Func<IConfigurationSection, Preset, IEnumerable<string>?>? Problems = null)
    {
        public IEnumerable<string> Names => Settable.Select(property => property.Name);

        private IEnumerable<PropertyInfo> Settable => Options
            .GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

        public PropertyInfo? Find(string name) =>
            Settable.FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
    }
}
