namespace ChordChat.Sdk.Nodes;

/// <summary>Where to look for a node, most explicit first; the first source that yields a living node wins.</summary>
public sealed record NodeSearch
{
    /// <summary>Addresses the user named (<c>--node HOST:PORT</c>). When there are any, nothing else is asked, unless
    /// another node than the one that answers is needed.</summary>
    public IReadOnlyList<string> Explicit { get; init; } = [];

    /// <summary>Addresses this profile has met before.</summary>
    public IReadOnlyList<string> Known { get; init; } = [];

    /// <summary>Addresses from CHORDCHAT_NODES, separated by commas.</summary>
    public IReadOnlyList<string> FromEnvironment { get; init; } = [];

    /// <summary>The file that CHORDCHAT_CLUSTER names, or null.</summary>
    public string? ClusterFile { get; init; }

    /// <summary>Whether to ask the local network by multicast, and then the default ports of this machine.</summary>
    public bool AskNetwork { get; init; } = true;

    /// <summary>How long to collect answers to the multicast question.</summary>
    public TimeSpan NetworkWait { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>The search that the environment describes.</summary>
    public static NodeSearch FromVariables(IReadOnlyList<string> explicitNodes) => new()
    {
        Explicit = explicitNodes,
        FromEnvironment = Split(Environment.GetEnvironmentVariable("CHORDCHAT_NODES")),
        ClusterFile = Environment.GetEnvironmentVariable("CHORDCHAT_CLUSTER") is { Length: > 0 } path ? path : null,
    };

    private static string[] Split(string? list) =>
        (list ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
