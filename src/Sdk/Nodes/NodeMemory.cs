namespace ChordChat.Sdk.Nodes;

/// <summary>Where the nodes of the cluster are: what they have proved by answering there, and what they say of each
/// other.</summary>
/// <remarks>docs/e2e.md, Known nodes. Not safe for threads.</remarks>
internal sealed class NodeMemory
{
    /// <summary>Proved nodes; of more, those that answered last.</summary>
    public const int ProvedMax = 32;

    /// <summary>Addresses of one proved node.</summary>
    public const int AddressesMax = 2;

    /// <summary>What one node says of itself and of others.</summary>
    public const int SharePerNode = 16;

    /// <summary>Addresses that nobody has proved.</summary>
    public const int HearsayMax = 32;

    private readonly List<Entry> _proved = []; // Who answered last comes first.
    private readonly List<string> _old = [];

    /// <param name="kept">As <see cref="All"/> was when it was kept.</param>
    public NodeMemory(IReadOnlyList<KnownNode> kept)
    {
        foreach (var node in kept.Reverse())
            if (node.Id is { } id)
                Prove(id, node.Address);
        _old.AddRange(kept.Where(node => node.Id is null).Select(node => node.Address).Take(HearsayMax));
    }

    private sealed record Entry(string Id)
    {
        public List<string> Addresses { get; } = [];

        /// <summary>Where it says that it is itself, and then others.</summary>
        public IReadOnlyList<string> Says { get; set; } = [];
    }

    /// <summary>The proved addresses, those of the node that answered last first, and then what was said.</summary>
    public IReadOnlyList<KnownNode> All =>
    [
        .. _proved.SelectMany(entry => entry.Addresses.Select(address => new KnownNode(address, entry.Id))),
        .. Hearsay().Select(address => new KnownNode(address, null)),
    ];

    /// <summary>A node of the cluster has answered at this address.</summary>
    public void Prove(string id, string address)
    {
        foreach (var other in _proved.Where(entry => entry.Id != id))
            other.Addresses.RemoveAll(known => AreSame(known, address)); // There it is no more.
        _proved.RemoveAll(entry => entry.Addresses.Count == 0);
        var entry = _proved.Find(entry => entry.Id == id) ?? new Entry(id);
        _proved.Remove(entry);
        _proved.Insert(0, entry);
        Put(entry, address);
        if (_proved.Count > ProvedMax)
            _proved.RemoveAt(ProvedMax);
    }

    /// <summary>What a proved node says, in place of all that it said before. Nothing of it is proved, also not where
    /// it says that it is itself.</summary>
    /// <param name="own">Where it says that it is itself; null if it does not.</param>
    /// <param name="others">Where it says that others are.</param>
    public void Hear(string id, string? own, IEnumerable<string> others)
    {
        if (_proved.Find(entry => entry.Id == id) is { } teller)
            teller.Says = [.. (own is null ? others : others.Prepend(own))
                .Where(NodeAddresses.IsWellFormed).Take(SharePerNode)];
    }

    /// <summary>One address of each teller in turn, so that many of one crowd out none of another.</summary>
    private IEnumerable<string> Hearsay() =>
        Enumerable.Range(0, SharePerNode)
            .SelectMany(i => _proved.Where(entry => i < entry.Says.Count).Select(entry => entry.Says[i]))
            .Concat(_old)
            .Where(address => !IsProved(address))
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Take(HearsayMax);

    private bool IsProved(string address) =>
        _proved.Exists(entry => entry.Addresses.Exists(known => AreSame(known, address)));

    private static void Put(Entry entry, string address)
    {
        entry.Addresses.RemoveAll(known => AreSame(known, address));
        entry.Addresses.Insert(0, address);
        if (entry.Addresses.Count > AddressesMax)
            entry.Addresses.RemoveAt(AddressesMax);
    }

    private static bool AreSame(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);
}
