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

    /// <summary>Where another node than the one in use may be, from every source: none of them is in the hands of that
    /// node alone. What nodes say of each other comes last, so that it takes no time from the rest.</summary>
    /// <param name="known">Proved addresses and hearsay.</param>
    /// <param name="isEverywhere">Also the local network and the default ports.</param>
    internal static async IAsyncEnumerable<IReadOnlyList<string>> SearchOthersAsync(
        NodeSearch search, IReadOnlyList<KnownNode> known, bool isEverywhere,
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return
        [
            .. known.Where(node => node.Id is not null).Select(node => node.Address),
            .. search.Explicit,
            .. search.FromEnvironment,
            .. InFile(search),
            .. known.Where(node => node.Id is null).Select(node => node.Address),
        ];
        if (!isEverywhere || !search.AskNetwork)
            yield break;
        yield return [.. await MulticastQuestion.AskAsync(search.NetworkWait, cancellation), .. DefaultAddresses];
    }

    /// <summary>Nothing if the cluster file cannot be read: whoever looks for the first node says so.</summary>
    private static IReadOnlyList<string> InFile(NodeSearch search)
    {
        try
        {
            return search.ClusterFile is { } path ? ClusterFile.Read(path).Addresses : [];
        }
        catch (ChordChatException)
        {
            return [];
        }
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
