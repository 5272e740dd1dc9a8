namespace ChordChat.Node.Operations;

/// <summary>What a node was told, wherever it was told it: a configuration's names and values.</summary>
internal sealed class GivenSettings(IConfiguration settings)
{
    /// <summary>Settings and those of the sections; other variables of the environment are nobody's business.</summary>
    public IReadOnlyDictionary<string, string> Values { get; } = settings.AsEnumerable()
        .Where(pair => pair.Value is not null && IsSetting(pair.Key))
        .ToDictionary(pair => pair.Key, pair => pair.Value!);

    private static bool IsSetting(string key)
    {
        var first = key.Split(':')[0];
        return NodeSettings.IsSetting(first)
            || SettingSections.Names.Contains(first, StringComparer.OrdinalIgnoreCase);
    }
}
