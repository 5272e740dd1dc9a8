using ChordChat.Wire;

namespace ChordChat.Sdk.Nodes;

/// <summary>Opens a link to some living node and remembers every address of the cluster that it hears of.</summary>
/// <param name="kept">What the profile remembers.</param>
/// <param name="reports">Of nodes that made this program fail.</param>
internal sealed class NodePool(
    NodeSearch search, ClusterTrust trust, IReadOnlyList<KnownNode> kept, FailureReports? reports = null)
{
    private const int NodesMax = 64;

    /// <summary>Addresses in an error; of more it says how many.</summary>
    private const int NamedMax = 3;

    private readonly Lock _turn = new();
    private readonly NodeSearch _search = search with { Known = [.. kept.Select(node => node.Address)] };
    private readonly NodeMemory _memory = new(kept);
    private readonly HashSet<string> _nodes = [.. kept.Select(node => node.Id).OfType<string>().Take(NodesMax)];
    private volatile bool _hasMet;

    public ClusterTrust Trust => trust;

    /// <summary>To be kept in the profile: nodes that have answered, and addresses that they named.</summary>
    public IReadOnlyList<KnownNode> Known
    {
        get
        {
            lock (_turn)
                return _memory.All;
        }
    }

    /// <summary>How many nodes the cluster has at least, as far as this program has heard and its profile
    /// remembers.</summary>
    public int NodeCount
    {
        get
        {
            lock (_turn)
                return _nodes.Count;
        }
    }

    /// <summary>What a node says of itself and of others.</summary>
    public void Hear(NodeLink teller, IEnumerable<Wire.NodeAddress> said)
    {
        // A node names more than are kept, perhaps to each client in the same order.
        var list = said.Take(NodeWords.ListMax).OrderBy(_ => Random.Shared.Next())
            .ToLookup(node => node.NodeId.Span.SequenceEqual(teller.NodeId));
        lock (_turn)
            _memory.Hear(
                teller.Key, list[true].FirstOrDefault()?.Address,
                list[false].Select(node => node.Address));
    }

    /// <summary>Opens the first node that answers.</summary>
    /// <param name="avoid">An address to try last: the node that has just failed.</param>
    /// <exception cref="ChordChatException">Nobody answered; the most telling reason is given.</exception>
    public async Task<NodeLink> OpenAsync(string? avoid, CancellationToken cancellation)
    {
        ChordChatException? worst = null;
        var isOwnDown = false;
        var tried = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var groups = new List<IReadOnlyList<string>>();
        if (_hasMet)
        {
            // Any node will do; a random order spreads the clients of a dead node over the others. But who has answered
            // before comes first: what a node says of others may be made up.
            var order = Known.Where(node => node.Address != avoid)
                .OrderBy(node => node.Id is null).ThenBy(_ => Random.Shared.Next()).Select(node => node.Address);
            if (await TryAsync([.. order], avoid, tried, cancellation) is var (link, reason))
            {
                if (link is not null)
                    return link;
                worst = reason;
                isOwnDown = true;
                groups.Add([.. tried]);
            }
        }

        await foreach (var group in NodeFinder.SearchAsync(_search, cancellation))
        {
            var (link, reason) = await TryAsync(group, avoid, tried, cancellation);
            if (link is not null)
                return link;
            groups.Add(group);
            worst = MoreTelling(worst, reason);
            isOwnDown |= group == _search.Known;
        }

        if (isOwnDown && worst is { Code: "foreign_cluster" })
            throw OwnIsDown(worst);
        throw worst is { Code: "unreachable" }
            ? NobodyAnswers(NodeFinder.Named(groups), worst)
            : worst ?? new ChordChatException("no_node", "no node was found", StartOrName);
    }

    /// <summary>Opens a node that is none of these.</summary>
    /// <param name="asked">Node ids in hex; one node may have several addresses.</param>
    /// <param name="isEverywhere">Also where no node was ever heard of; that takes longer.</param>
    /// <returns>Null when none answers.</returns>
    public async Task<NodeLink?> OpenOtherAsync(
        IReadOnlySet<string> asked, CancellationToken cancellation, bool isEverywhere = false)
    {
        var tried = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        await foreach (var group in NodeFinder.SearchOthersAsync(_search, Known, isEverywhere, cancellation))
            if ((await FirstAnswer.OfAsync(
                [.. group.Where(tried.Add)], OpenAsync, TimeProvider.System, cancellation)).Answer is { } link)
                return link;
        return null;

        async Task<NodeLink?> OpenAsync(string address, CancellationToken found)
        {
            var link = await NodeLink.OpenAsync(address, trust, found);
            Meet(link);
            if (!asked.Contains(link.Key))
                return link;
            link.Dispose();
            return null;
        }
    }

    /// <summary>A node has answered, and what it said of its cluster is true of its certificate.</summary>
    public void Meet(NodeLink link)
    {
        var id = link.Key;
        lock (_turn)
        {
            _hasMet = true;
            _memory.Prove(id, link.Address);
            foreach (var node in link.Cluster.Nodes.Select(node => node.NodeId.ToByteArray()).Prepend(link.NodeId)
                .Where(node => node.Length == 32).Take(NodesMax - _nodes.Count))
                _nodes.Add(Convert.ToHexString(node));
        }

        Hear(link, link.Cluster.Nodes);
    }

    /// <param name="avoid">Is tried when none of the others answers, however slow they are.</param>
    private async Task<(NodeLink? Link, ChordChatException? Reason)> TryAsync(
        IReadOnlyList<string> addresses, string? avoid, HashSet<string> tried, CancellationToken cancellation)
    {
        ChordChatException? worst = null;
        foreach (var some in addresses.Where(tried.Add).ToLookup(address => address == avoid).OrderBy(some => some.Key))
        {
            var (link, reasons) = await FirstAnswer.OfAsync(
                [.. some], async (address, found) => await NodeLink.OpenAsync(address, trust, found),
                TimeProvider.System, cancellation);
            foreach (var reason in reasons)
            {
                if (reason.Code == "node_error")
                    reports?.Add(reason);
                worst = MoreTelling(worst, reason);
            }

            if (link is null)
                continue;
            Meet(link);
            return (link, null);
        }

        return (null, worst);
    }

    private static string StartOrName =>
        $"start the cluster with {StartupCommand.Of()}, or name a node with --node HOST:PORT";

    /// <param name="asked">All that were asked, or those of them that a person knows.</param>
    /// <param name="last">What the last one said; enough where only one was asked.</param>
    private static ChordChatException NobodyAnswers(IReadOnlyList<string> asked, ChordChatException last) =>
        asked.Count == 1
            ? new("unreachable", $"no node answers at {asked[0]}", last.Hint, last)
            : new(
                "unreachable",
                $"no node answers at {string.Join(", ", asked.Take(NamedMax))}"
                + (asked.Count > NamedMax ? $" and {asked.Count - NamedMax} more" : ""),
                StartOrName, last);

    /// <summary>No node of this profile's cluster answers where its nodes were, and another cluster does, there or
    /// elsewhere.</summary>
    private static ChordChatException OwnIsDown(ChordChatException foreign) => new(
        "unreachable",
        $"no node of your cluster answers at its known addresses; only another cluster was found: {foreign.Message}",
        "start your own cluster, or name one of its nodes with --node HOST:PORT; nothing was sent to the other cluster",
        foreign);

    private static ChordChatException? MoreTelling(ChordChatException? one, ChordChatException? other) =>
        one is null || (one.Code == "unreachable" && other is not null) ? other ?? one : one;
}
