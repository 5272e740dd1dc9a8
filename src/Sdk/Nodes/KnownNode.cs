namespace ChordChat.Sdk.Nodes;

/// <param name="Id">The node that has answered there, by its certificate, in hex; null for what others say.</param>
internal sealed record KnownNode(string Address, string? Id)
{
    /// <summary>SHA-256, in hex.</summary>
    private const int IdLengthMax = 64;

    /// <summary>As a profile keeps them: a line for each.</summary>
    public static string WriteAll(IEnumerable<KnownNode> nodes) => string.Join(
        '\n', nodes.Select(node => node.Id is { } id ? $"{node.Address} {id}" : node.Address));

    /// <summary>What <see cref="WriteAll"/> wrote, without what cannot be an address.</summary>
    /// <remarks>docs/e2e.md, Known nodes: beside a line that cannot be one, no other proves anything.</remarks>
    public static IReadOnlyList<KnownNode> ReadAll(string text)
    {
        List<string[]> lines =
            [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))];
        var areSound = lines.TrueForAll(IsSound);
        return [.. lines.Where(parts => NodeAddresses.IsWellFormed(parts[0]))
            .Select(parts => new KnownNode(parts[0], areSound ? parts.ElementAtOrDefault(1) : null))];
    }

    private static bool IsSound(string[] parts) => parts.Length <= 2 && NodeAddresses.IsWellFormed(parts[0])
        && (parts.Length == 1 || (parts[1].Length is > 0 and <= IdLengthMax && parts[1].All(char.IsAsciiHexDigit)));
}
