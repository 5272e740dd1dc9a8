namespace ChordChat.Sdk.Nodes;

/// <summary>Opens a link to some living node and remembers every address of the cluster that it hears of.</summary>
public sealed class NodePool(NodeSearch search, ClusterTrust trust)
{
    private const int RememberedMax = 32;
    private readonly Lock _turn = new();
    private const int NodesMax = 64;
    private readonly List<string> _heard = [];
    private readonly HashSet<string> _nodes = [];

    public ClusterTrust Trust => trust;

    /// <summary>Addresses heard of from the cluster itself, newest first.</summary>
    public IReadOnlyList<string> Heard
    {
        get
        {
            lock (_turn)
                return [.. _heard];
        }
    }

    /// <summary>How many nodes the cluster has at least, as far as this program has heard and its profile
    /// remembers.</summary>
    public int NodeCount
    {
        get
        {
            lock (_turn)
                return Math.Max(_nodes.Count, search.Known.Count);
        }
    }

    public void Remember(IEnumerable<string> addresses)
    {
        lock (_turn)
            foreach (var address in addresses.Where(NodeAddresses.IsWellFormed))
            {
                _heard.Remove(address);
                _heard.Insert(0, address);
                if (_heard.Count > RememberedMax)
                    _heard.RemoveAt(_heard.Count - 1);
            }
    }

    /// <summary>Opens the first node that answers.</summary>
    /// <param name="avoid">An address to try last: the node that has just failed.</param>
    /// <exception cref="ChordChatException">Nobody answered; the most telling reason is given.</exception>
    public async Task<NodeLink> OpenAsync(string? avoid, CancellationToken cancellation)
    {
        ChordChatException? worst = null;
        var isOwnDown = false;
        var tried = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (Heard is { Count: > 0 } heard)
        {
            // Any node will do; a random order spreads the clients of a dead node over the others.
            var order = heard.Where(address => address != avoid).OrderBy(_ => Random.Shared.Next()).ToList();
            if (await TryAsync(order, tried, cancellation) is var (link, reason))
            {
                if (link is not null)
                    return link;
                worst = reason;
                isOwnDown = true;
            }
        }

        await foreach (var group in NodeFinder.SearchAsync(search, cancellation))
        {
            var (link, reason) = await TryAsync(group.OrderBy(address => address == avoid), tried, cancellation);
            if (link is not null)
                return link;
            worst = MoreTelling(worst, reason);
            isOwnDown |= group == search.Known;
        }

        if (isOwnDown && worst is { Code: "foreign_cluster" })
            throw OwnIsDown(worst);
        throw worst ?? new ChordChatException(
            "no_node", "no node was found",
            "start the cluster with ./startup.sh, or name a node with --node HOST:PORT");
    }

    /// <summary>Opens a node that is none of these, among those that were heard of.</summary>
    /// <param name="asked">Node ids in hex; one node may have several addresses.</param>
    public async Task<NodeLink?> OpenOtherAsync(IReadOnlySet<string> asked, CancellationToken cancellation)
    {
        foreach (var address in Heard.Concat(search.Explicit).Concat(search.Known).Distinct())
            try
            {
                var link = await NodeLink.OpenAsync(address, trust, cancellation);
                Meet(link);
                if (!asked.Contains(Convert.ToHexString(link.NodeId)))
                    return link;
                link.Dispose();
            }
            catch (ChordChatException)
            {
                // The next one may answer.
            }

        return null;
    }

    private void Meet(NodeLink link)
    {
        lock (_turn)
            foreach (var node in link.Cluster.Nodes.Select(node => node.NodeId.ToByteArray()).Prepend(link.NodeId)
                .Where(node => node.Length == 32).Take(NodesMax - _nodes.Count))
                _nodes.Add(Convert.ToHexString(node));
    }

    private async Task<(NodeLink? Link, ChordChatException? Reason)> TryAsync(
        IEnumerable<string> addresses, HashSet<string> tried, CancellationToken cancellation)
    {
        ChordChatException? reason = null;
        foreach (var address in addresses.Where(tried.Add))
            try
            {
                var link = await NodeLink.OpenAsync(address, trust, cancellation);
                Meet(link);
                Remember(link.Cluster.Nodes.Take(NodeWords.ListMax).Select(node => node.Address).Append(address));
                return (link, null);
            }
            catch (ChordChatException cause)
            {
                reason = MoreTelling(reason, cause);
            }

        return (null, reason);
    }

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
