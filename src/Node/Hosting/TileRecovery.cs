using System.Collections.Immutable;
using System.Globalization;
using ChordChat.Core.Replication;
using ChordChat.Core.Ring;
using ChordChat.Node.Admission;
using ChordChat.Node.Replication;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Hosting;

/// <summary>What one look at all nodes says of a tile, and the order that would begin it anew.</summary>
/// <remarks>docs/protocol.md#generations.</remarks>
internal sealed class TileRecovery
{
    private readonly Dictionary<NodeId, (string Address, TileReport Report)> _reports;
    private readonly Dictionary<NodeId, PeerReport> _peers;

    private TileRecovery(
        ClusterFolder folder, TileId tile, Dictionary<NodeId, (string, TileReport)> reports,
        Dictionary<NodeId, PeerReport> peers)
    {
        (_reports, _peers) = (reports, peers);
        Plan = new(_reports.Values.Select(told => told.Report.ToAnswer()));
        var genesis = folder.ReadGenesis();
        var ring = _reports.Keys.Select(node => _peers[node]).Where(peer => peer.Stays)
            .Select(peer => (RingId.FirstBytes(Convert.FromHexString(peer.Position)), IdOf(peer)))
            .OrderBy(place => place.Item1).ToArray();
        var generation = Math.Max(folder.Generations.Highest(tile), Plan.Newest.Generation) + 1;
        var members = Placement.Members(tile, ring, genesis.BackupCount + 1);
        Order = new(genesis.ClusterHex, Plan.Next(generation, members), Plan.Survivors);
        CopiesWanted = genesis.BackupCount + 1;
    }

    public RecoveryPlan Plan { get; }

    public RecoveryOrder Order { get; }

    /// <summary>K + 1.</summary>
    public int CopiesWanted { get; }

    /// <summary>Asks every node that one of them has heard of, beginning with these addresses.</summary>
    /// <exception cref="StartRefusedException">Nobody answers.</exception>
    public static async Task<TileRecovery> LookAsync(
        ClusterFolder folder, OperatorContact contact, TileId tile, IReadOnlyCollection<string> addresses,
        CancellationToken cancellation)
    {
        var reports = new Dictionary<NodeId, (string, TileReport)>();
        var peers = new Dictionary<NodeId, PeerReport>();
        var asked = new HashSet<string>();
        for (var next = addresses; next.Count > 0;)
        {
            var round = next.Where(asked.Add).ToArray();
            var told = await Task.WhenAll(round.Select(at => contact.AskAsync(at, tile, cancellation)));
            foreach (var (at, report) in round.Zip(told))
            {
                if (report is null)
                    continue;
                reports[NodeId.FromBytes(Convert.FromHexString(report.Node))] = (at, report);
                foreach (var peer in report.Peers)
                    if (!peers.TryGetValue(IdOf(peer), out var known) || peer.Node == report.Node || known.Stays)
                        peers[IdOf(peer)] = peer;
            }

            next = [.. told.OfType<TileReport>().SelectMany(report => report.Peers).Select(peer => peer.Address)
                .Where(address => !asked.Contains(address)).Distinct()];
        }

        return reports.Count > 0
            ? new(folder, tile, reports, peers)
            : throw OperatorContact.Nobody(addresses);
    }

    /// <summary>The tile in words: who answers, what survives and what may be lost.</summary>
    public IEnumerable<string> Lines()
    {
        var newest = Plan.Newest;
        yield return $"tile {newest.Tile}, generation {Text(newest.Generation)}, epoch {Text(newest.Epoch)}, kept by "
            + Names(newest.Members);
        foreach (var member in newest.Members)
            yield return $"  {Name(member)}: {(Plan.Gone.Contains(member) ? "does not answer" : State(member))}";
        if (Plan.CanGoOn)
            yield break;
        yield return Plan.Survivors.Members.IsEmpty
            ? "Nothing survives. Every account and every waiting message of this tile is lost, and its names are free "
                + "for whoever takes them first."
            : $"What survives, of epoch {Text(Plan.Survivors.Epoch)}: "
                + string.Join("; ", Plan.Survivors.Members.Select(Content)) + ".";
        yield return $"The tile would go on as generation {Text(Order.Next.Generation)} on "
            + $"{Names(Order.Next.Members)}.";
        if (Order.Next.Members.Length < CopiesWanted)
            yield return $"That is {Text(Order.Next.Members.Length)} copies instead of {Text(CopiesWanted)}: too few "
                + "nodes answer. Add nodes first, if you can.";
    }

    /// <summary>What an operator must know before he gives these orders.</summary>
    public static IEnumerable<string> Warnings(IReadOnlyCollection<TileRecovery> recoveries)
    {
        yield return "";
        if (recoveries.Any(one => !one.Plan.Survivors.Members.IsEmpty))
            yield return "What may be lost, though it was said to be kept: messages that waited only on the nodes "
                + "that are gone; the latest changes of accounts (an older password, an older list of keys may be "
                + "valid again; a new name may be free again). Messages read long ago may come once more.";
        string[] gone = [.. recoveries.SelectMany(one => one.Plan.Gone.Select(one.Name)).Distinct().Order()];
        if (gone.Length > 0)
            yield return $"You confirm that {string.Join(' ', gone)} will never come back with their disks. If they "
                + "might, stop here and bring them back.";
    }

    /// <summary>Gives the signed order to everybody who answers, survivors first.</summary>
    /// <returns>The names of those who did not take it.</returns>
    public async Task<IReadOnlyList<string>> GiveAsync(
        OperatorContact contact, byte[] signed, CancellationToken cancellation)
    {
        var missed = new List<string>();
        foreach (var nodes in _reports.GroupBy(told => Plan.Survivors.Contains(told.Key)).OrderByDescending(g => g.Key))
        {
            var taken = await Task.WhenAll(nodes.Select(async told => (
                Node: told.Key,
                Report: await contact.OrderAsync(told.Value.Address, Order.Next.Tile, signed, cancellation))));
            missed.AddRange(taken.Where(one => one.Report is null).Select(one => Name(one.Node)));
        }

        return missed;
    }

    /// <summary>Which of the order's members answer for the tile by now.</summary>
    public async Task<ImmutableArray<NodeId>> ActiveAsync(OperatorContact contact, CancellationToken cancellation)
    {
        var told = await Task.WhenAll(Order.Next.Members.Select(
            member => contact.AskAsync(_reports[member].Address, Order.Next.Tile, cancellation)));
        return [.. told.OfType<TileReport>().Select(report => report.ToAnswer())
            .Where(answer => answer.Header is { Phase: TilePhase.Active } header
                && (header.Configuration == Order.Next || header.Configuration.IsNewerThan(Order.Next)))
            .Select(answer => answer.Node)];
    }

    public string Names(IReadOnlyCollection<NodeId> nodes) => string.Join(' ', nodes.Select(Name));

    private string Name(NodeId node) =>
        _peers.TryGetValue(node, out var peer) ? PeerWords.Name(peer.Name) : node.ToString()[..8];

    private string State(NodeId member) =>
        _reports[member].Report.ToAnswer().Header is not { } header ? "answers, and holds nothing of the tile"
        : $"answers; {header.Phase.ToString().ToLowerInvariant()} in epoch {Text(header.Configuration.Epoch)}, "
            + $"generation {Text(header.Configuration.Generation)}; {Content(member)}";

    private string Content(NodeId node)
    {
        var report = _reports[node].Report;
        return $"{Name(node)} has {Text(report.Registers)} registers and {Text(report.Messages)} messages";
    }

    private static NodeId IdOf(PeerReport peer) => NodeId.FromBytes(Convert.FromHexString(peer.Node));

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
