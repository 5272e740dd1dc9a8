using System.Collections.Immutable;
using System.Globalization;
using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Epochs;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Commands;

/// <summary>What one look at all nodes says of a tile, and the order that would begin it anew.</summary>
/// <remarks>docs/protocol.md#generations.</remarks>
internal sealed class TileRecovery
{
    private readonly Dictionary<NodeId, (string Address, ToldTile Told)> _reports;
    private readonly Dictionary<string, string> _names;

    private TileRecovery(
        ClusterFolder folder, TileId tile, Dictionary<NodeId, (string Address, ToldTile Told)> reports,
        IReadOnlyList<TileReply> nonsense)
    {
        (_reports, Nonsense) = (reports, nonsense);
        _names = NamesIn([.. reports.Values.Select(one => one.Told)]);
        Plan = new(_reports.Values.Select(one => one.Told.Answer));
        var genesis = folder.ReadGenesis();
        var ring = _reports.Values.Select(one => one.Told).Where(told => told.Stays)
            .Select(told => (told.By.Position, told.By.Node)).OrderBy(place => place.Position).ToArray();
        var generation = Math.Max(folder.Generations.Highest(tile), Plan.Generation) + 1;
        var members = Placement.Members(tile, ring, genesis.BackupCount + 1);
        Order = new(genesis.ClusterHex, Plan.Next(generation, members), Plan.Survivors);
        CopiesWanted = genesis.BackupCount + 1;
    }

    public RecoveryPlan Plan { get; }

    public RecoveryOrder Order { get; }

    /// <summary>K + 1.</summary>
    public int CopiesWanted { get; }

    /// <summary>Everybody who gave a valid report.</summary>
    public IEnumerable<(string Name, string Address)> Reporters =>
        _reports.Values.Select(one => (PeerWords.Name(one.Told.By.Name), one.Address));

    /// <summary>Answers of nodes that gave no valid report.</summary>
    public IReadOnlyList<TileReply> Nonsense { get; }

    /// <summary>Asks every node that one of them has heard of, beginning with these addresses.</summary>
    /// <param name="isSure">Whether there is such a tile, whatever nodes say.</param>
    /// <returns>Null when there is no such tile.</returns>
    /// <exception cref="StartRefusedException">Nobody tells anything of it.</exception>
    public static async Task<TileRecovery?> LookAsync(
        ClusterFolder folder, OperatorContact contact, TileId tile, IReadOnlyCollection<string> addresses, bool isSure,
        CancellationToken cancellation)
    {
        var reports = new Dictionary<NodeId, (string Address, ToldTile Told)>();
        var nonsense = new List<TileReply>();
        var asked = new HashSet<string>();
        for (var next = addresses; next.Count > 0 && asked.Count < contact.AddressesMax;)
        {
            var round = next.Where(asked.Add).ToArray();
            var told = await Task.WhenAll(round.Select(at => contact.AskAsync(at, tile, cancellation)));
            foreach (var reply in told)
                if (reply.Told is { } report)
                    reports.TryAdd(report.By.Node, (reply.Address, report));
            nonsense.AddRange(told.Where(reply => reply.Why is not null || reply.IsUnknown));
            next = [.. InTurns([.. told.Select(reply => reply.Told).OfType<ToldTile>()])
                .Where(address => !asked.Contains(address)).Take(contact.AddressesMax - asked.Count)];
        }

        var unknown = nonsense.Count(reply => reply.IsUnknown);
        if (!isSure && (unknown > 1 || (unknown == 1 && reports.Count < 2)))
            return null;
        PassOver(reports, nonsense, folder.Generations.Highest(tile));
        if (reports.Count > 0)
            return new(folder, tile, reports, nonsense);
        throw nonsense.Find(reply => reply.Why is not null) is { } bad
            ? new StartRefusedException(
                ExitCode.Unreachable, $"no node gives a valid report of tile {tile}; {Words(tile, bad)}")
            : OperatorContact.Nobody(addresses);
    }

    /// <summary>What names numbers that cannot be is no report. docs/protocol.md#impossible-numbers</summary>
    private static void PassOver(
        Dictionary<NodeId, (string Address, ToldTile Told)> reports, List<TileReply> nonsense, ulong issued)
    {
        var bounds = new AnswerBounds([.. reports.Values.Select(one => one.Told.Answer)], issued);
        foreach (var (node, (address, told)) in reports)
        {
            if (bounds.IsPossible(told.Answer))
                continue;
            reports.Remove(node);
            nonsense.Add(new(address, told.By, Why: told.Answer.Generation > bounds.GenerationMax
                ? $"it names generation {Text(told.Answer.Generation)}, and the last one that cluster/generations "
                    + $"or a second node names is {Text(bounds.GenerationMax)}"
                : $"it names epoch {Text(told.Answer.Epoch)}, far beyond what any other node names"));
        }
    }

    /// <summary>The first address of each list, then the second of each: so a long list does not keep a short one from
    /// being asked.</summary>
    private static IEnumerable<string> InTurns(ToldTile[] told) => told
        .SelectMany(one => one.Peers.Select((peer, place) => (place, peer.Address)))
        .OrderBy(one => one.place).Select(one => one.Address).Distinct();

    /// <summary>Names by id in hex. A node that answered has the name in its certificate; another one, the name that
    /// most of those that answered give it.</summary>
    private static Dictionary<string, string> NamesIn(ToldTile[] told)
    {
        var names = told.SelectMany(one => one.Peers)
            .GroupBy(peer => peer.Node ?? "", StringComparer.OrdinalIgnoreCase)
            .ToDictionary(
                same => same.Key, same => same.GroupBy(peer => peer.Name ?? "").MaxBy(said => said.Count())!.Key,
                StringComparer.OrdinalIgnoreCase);
        foreach (var one in told)
            names[one.By.Node.ToString()] = one.By.Name;
        return names;
    }

    /// <summary>What several looks found: nodes that gave no valid report of a tile, and nodes that name an epoch that
    /// cannot be. One line for each node and kind.</summary>
    public static IEnumerable<string> Doubts(IReadOnlyCollection<TileRecovery> looks)
    {
        foreach (var said in looks.SelectMany(look => look.Nonsense, (look, reply) => (look.Order.Next.Tile, reply))
            .GroupBy(one => one.reply.By!.Node).OrderBy(same => same.Key))
        {
            var ((tile, reply), more) = (said.First(), said.Count() - 1);
            yield return Words(tile, reply) + More(more) + "; it counts as not answering.";
        }

        foreach (var said in looks.SelectMany(look => look.Plan.Doubts, (look, doubt) => (look, doubt))
            .GroupBy(one => (one.doubt.Node, one.doubt.IsPassedOver)).OrderBy(same => same.Key.Node))
        {
            var ((look, doubt), more) = (said.First(), said.Count() - 1);
            yield return $"{look.Name(doubt.Node)} says that tile {doubt.Said.Tile} has gone on to "
                + $"{Place(doubt.Said)}, but {look.Names(doubt.Members)} still answer for {Place(doubt.Earlier)}"
                + $"{More(more)}: one of them lies, or the ring is changing. Run this "
                + "command again in a minute. If it says the same, find out which node lies, revoke it, and run this "
                + $"command again.{(doubt.IsPassedOver ? "" : " Until then nothing is recovered there.")}";
        }

        foreach (var same in looks.Where(look => look.Plan is { Alone: not null, IsContested: false })
            .GroupBy(look => look.Plan.Alone!.Value).OrderBy(same => same.Key))
        {
            var (look, newest) = (same.First(), same.First().Plan.Newest);
            var more = More(same.Count() - 1);
            yield return $"Only {look.Name(same.Key)} names {Place(newest)} of tile {newest.Tile}{more}: it lies, or "
                + "all others that knew of it are gone, or the ring is changing. Run this command again in a minute. "
                + $"If it says the same and you believe that node, recover the tile by itself: --tile {newest.Tile}. "
                + "Otherwise revoke the node, and run this command again.";
        }

        foreach (var look in looks.Where(look => !look.Order.IsInBounds))
            yield return $"tile {look.Order.Next.Tile}: several nodes name numbers that cannot be. No order is given.";
    }

    private static string Words(TileId tile, TileReply reply) =>
        $"{PeerWords.Name(reply.By!.Name)} at {PeerWords.Text(reply.Address)}: " + (reply.IsUnknown
            ? $"it says that there is no tile {tile}"
            : $"what it says of tile {tile} is not a valid report ({reply.Why})");

    private static string Place(TileConfiguration at) => $"epoch {Text(at.Epoch)}"
        + (at.Generation == 0 ? "" : $", generation {Text(at.Generation)}");

    private static string More(int tiles) => tiles == 0 ? "" : $" (and the same of {Text(tiles)} more tiles)";

    /// <summary>The tile in words: who answers, what survives and what may be lost.</summary>
    public IEnumerable<string> Lines()
    {
        var newest = Plan.Newest;
        yield return $"tile {newest.Tile}, generation {Text(newest.Generation)}, epoch {Text(newest.Epoch)}, kept by "
            + Names(newest.Members);
        foreach (var member in newest.Members)
            yield return $"  {Name(member)}: {(Plan.Gone.Contains(member) ? "does not answer" : State(member))}";
        if (Plan.CanGoOn || Plan.IsContested)
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
                IsTaken: await contact.OrderAsync(told.Value.Address, signed, cancellation))));
            missed.AddRange(taken.Where(one => !one.IsTaken).Select(one => Name(one.Node)));
        }

        return missed;
    }

    /// <summary>Which of the order's members answer for the tile by now.</summary>
    public async Task<ImmutableArray<NodeId>> ActiveAsync(OperatorContact contact, CancellationToken cancellation)
    {
        var told = await Task.WhenAll(Order.Next.Members.Select(
            member => contact.AskAsync(_reports[member].Address, Order.Next.Tile, cancellation)));
        return [.. told.Select(reply => reply.Told?.Answer).OfType<TileAnswer>()
            .Where(answer => answer.Header is { Phase: TilePhase.Active } header
                && (header.Configuration.At == Order.Next.At || header.Configuration.IsNewerThan(Order.Next)))
            .Select(answer => answer.Node)];
    }

    public string Names(IReadOnlyCollection<NodeId> nodes) => string.Join(' ', nodes.Select(Name));

    private string Name(NodeId node) =>
        _names.TryGetValue(node.ToString(), out var name) ? PeerWords.Name(name) : node.ShortForm;

    private string State(NodeId member) =>
        _reports[member].Told.Answer.Header is not { } header ? "answers, and holds nothing of the tile"
        : $"answers; {header.Phase.ToString().ToLowerInvariant()} in epoch {Text(header.Configuration.Epoch)}, "
            + $"generation {Text(header.Configuration.Generation)}; {Content(member)}";

    private string Content(NodeId node)
    {
        var told = _reports[node].Told;
        return $"{Name(node)} has {Text(told.Registers)} registers and {Text(told.Messages)} messages";
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
