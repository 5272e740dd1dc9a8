using System.Runtime.CompilerServices;

namespace ChordChat.Sdk.Nodes;

/// <summary>Lists addresses worth trying, source by source, so that a later source costs nothing when an earlier one
/// answers.</summary>
public static class NodeFinder
{
    /// <summary>Where the nodes of a machine listen as a rule; nobody has named them.</summary>
    internal static readonly IReadOnlyList<string> DefaultAddresses =
        ["localhost:7401", "localhost:7402", "localhost:7403", "localhost:7404", "localhost:7405"];

    /// <summary>Groups of addresses: try all of one group before asking for the next.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<string>> SearchAsync(
        NodeSearch search, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        if (search.Explicit.Count > 0)
        {
            yield return [.. search.Explicit.Select(NodeAddresses.Check)];
            yield break;
        }

        if (search.Known.Count > 0)
            yield return search.Known;
        if (search.FromEnvironment.Count > 0)
            yield return [.. search.FromEnvironment.Select(NodeAddresses.Check)];
        if (search.ClusterFile is { } path)
            yield return ClusterFile.Read(path).Addresses;
        if (!search.AskNetwork)
            yield break;
        if (await MulticastQuestion.AskAsync(search.NetworkWait, cancellation) is { Count: > 0 } answers)
            yield return answers;
        yield return DefaultAddresses;
    }

    /// <summary>Of groups that were asked, the addresses to tell a person of: those that somebody or something named;
    /// the built-in ones only if there are no others.</summary>
    internal static IReadOnlyList<string> Named(IEnumerable<IReadOnlyList<string>> groups)
    {
        List<string> named =
        [
            .. groups.Where(group => !ReferenceEquals(group, DefaultAddresses)).SelectMany(group => group)
                .Distinct(StringComparer.OrdinalIgnoreCase),
        ];
        return named.Count > 0 ? named : DefaultAddresses;
    }
}
