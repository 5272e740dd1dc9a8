using System.Collections.Concurrent;
using System.CommandLine;
using ChordChat.Core.Tiles;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Wire;

namespace ChordChat.Node.Commands;

/// <summary>cluster recover: goes on with what is left of a tile, in two steps.</summary>
/// <remarks>docs/protocol.md#generations, docs/operations.md.</remarks>
internal static class RecoverCommand
{
    private const int AtOnceMax = 16;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        var data = CommandLine.DataOption(
            "The folder that 'cluster init' wrote, with the authority's key in cluster/.");
        var node = new Option<string[]>("--node")
        {
            Description = "host:port of a running node, repeatable; it names the others. Default: all of --data "
                + "that have been started.",
        };
        var tile = new Option<string?>("--tile")
        {
            Description = "One tile, like 5a/7, as 'chordchat-node where NAME' prints it. Default: all that have lost "
                + "their majority, except those of which one node alone names the newest epoch.",
        };
        var accept = new Option<string?>("--accept-loss")
        {
            Description = "The code that the first step printed: you confirm that you have read what may be lost and "
                + "that the lost nodes will never come back.",
            HelpName = "CODE",
        };
        var command = new Command(
            "recover", "Recover tiles that have permanently lost most of their disks. Without --accept-loss it only "
            + "reports what is left.")
        {
            data, node, tile, accept,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var root = parsed.GetRequiredValue(data);
            var named = parsed.GetValue(node) ?? [];
            return RunAsync(
                root, named.Length > 0 ? named : [.. NodeContact.Addresses(root)], Parse(parsed.GetValue(tile)),
                parsed.GetValue(accept), Console.Out, cancellation);
        });
        return command;
    }

    /// <summary>One step: looks and says, and with the right code does it.</summary>
    /// <param name="root">The folder with cluster/ in it.</param>
    /// <param name="tile">Null: all tiles that cannot go on.</param>
    /// <exception cref="StartRefusedException">There is nothing to recover, nobody answers, or the code is of another
    /// plan.</exception>
    public static async Task RunAsync(
        string root, IReadOnlyCollection<string> nodes, TileId? tile, string? code, TextWriter output,
        CancellationToken cancellation)
    {
        var folder = new ClusterFolder(root);
        using var authority = folder.OpenAuthority();
        if (nodes.Count == 0)
            throw new StartRefusedException(
                ExitCode.Unreachable,
                $"no node of {root} has been started here. Name a running one with --node HOST:PORT.");
        using var contact = new OperatorContact(authority, folder.DenyList(authority), DateTimeOffset.UtcNow);
        var looks = tile is { } one
            ? await LookAsync(folder, contact, one, nodes, cancellation)
            : await LookAsync(folder, contact, nodes, output, cancellation);
        foreach (var line in TileRecovery.Doubts(looks))
            await output.WriteLineAsync(line);
        var told = looks.Where(look => tile is not null || !look.Plan.CanGoOn);
        foreach (var line in told.SelectMany(look => look.Lines()))
            await output.WriteLineAsync(line);
        var stopped = looks.Where(look => !look.Plan.CanGoOn).ToList();
        // What one node alone says is believed of a tile that the operator names, not in a run over all.
        TileRecovery[] recoveries =
        [
            .. stopped.Where(look => !look.Plan.IsContested && look.Order.IsInBounds
                && (tile is not null || look.Plan.Alone is null)),
        ];
        if (recoveries.Length == 0)
            throw new StartRefusedException(
                ExitCode.Usage, stopped.Count > 0
                    ? "what the nodes say contradicts itself, as the lines above say: nothing is recovered before one "
                        + "of them is revoked, or another member answers, unless a line above names another way."
                    : $"a majority answers{(tile is null ? " for every tile" : "")}: there is nothing to "
                        + "recover, and nothing to lose. If a tile does not work, 'chordchat-node doctor' on each of "
                        + "its members may say why.");
        foreach (var line in TileRecovery.Warnings(recoveries))
            await output.WriteLineAsync(line);
        var wanted = RecoveryOrder.CodeOf(recoveries.Select(recovery => recovery.Order));
        if (code is null)
        {
            await output.WriteLineAsync("\nTo do it:\n  chordchat-node cluster recover"
                + $"{(tile is null ? "" : $" --tile {tile}")} --data {ShellWord.Of(root)}"
                + string.Concat(nodes.Select(at => $" --node {at}")) + $" --accept-loss {wanted}");
            return;
        }

        if (code != wanted)
            throw new StartRefusedException(
                ExitCode.Usage, $"the code {code} belongs to an earlier plan; something has changed since. Read the "
                + $"plan above; its code is {wanted}.");
        foreach (var recovery in recoveries)
            await GiveAsync(folder, authority, contact, recovery, output, cancellation);
        foreach (var recovery in recoveries)
            await AwaitAsync(contact, recovery, output, cancellation);
    }

    private static TileId? Parse(string? tile) =>
        tile is null ? null
        : TileId.TryParse(tile, out var which) ? which
        : throw new StartRefusedException(ExitCode.Usage, "--tile must look like 5a/7.");

    private static async Task<IReadOnlyList<TileRecovery>> LookAsync(
        ClusterFolder folder, OperatorContact contact, TileId tile, IReadOnlyCollection<string> nodes,
        CancellationToken cancellation) =>
    [
        await TileRecovery.LookAsync(folder, contact, tile, nodes, isSure: false, cancellation)
            ?? throw new StartRefusedException(
                ExitCode.Usage, $"there is no tile {tile}. 'chordchat-node where NAME' prints a user's tile."),
    ];

    /// <summary>Looks at all tiles.</summary>
    private static async Task<IReadOnlyList<TileRecovery>> LookAsync(
        ClusterFolder folder, OperatorContact contact, IReadOnlyCollection<string> nodes, TextWriter output,
        CancellationToken cancellation)
    {
        // The first look finds out who answers; the others ask only those. All nodes know the tiles of the genesis.
        var first = await TileRecovery.LookAsync(
            folder, contact, new(folder.ReadGenesis().TileBits, 0), nodes, isSure: true, cancellation);
        var told = await Task.WhenAll(first!.Reporters.Select(async node => (
            node.Name, Tiles: await contact.TilesAsync(node.Address, cancellation))));
        var lists = new TileLists([.. told.Where(one => one.Tiles is not null).Select(one => (one.Name, one.Tiles!))]);
        if (lists.Tiles.IsEmpty)
            throw OperatorContact.Nobody(nodes);
        foreach (var line in lists.Doubts())
            await output.WriteLineAsync(line);
        var looks = new ConcurrentDictionary<TileId, TileRecovery?>();
        await Parallel.ForEachAsync(
            lists.Tiles, new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = cancellation },
            async (tile, stopping) =>
                looks[tile] = await TileRecovery.LookAsync(folder, contact, tile, nodes, isSure: false, stopping));
        foreach (var (tile, _) in looks.Where(look => look.Value is null).OrderBy(look => look.Key))
            await output.WriteLineAsync($"tile {tile} is passed over: not all nodes know it. Look again with --tile.");
        return [.. looks.OrderBy(look => look.Key).Select(look => look.Value).OfType<TileRecovery>()];
    }

    private static async Task GiveAsync(
        ClusterFolder folder, ClusterAuthority authority, OperatorContact contact, TileRecovery recovery,
        TextWriter output, CancellationToken cancellation)
    {
        var order = recovery.Order;
        if (!folder.Generations.TryIssue(order.Next.Tile, order.Next.Generation))
            throw new StartRefusedException(
                ExitCode.Usage,
                $"another recovery of {order.Next.Tile} was begun meanwhile. Look again, without --accept-loss.");
        var missed = await recovery.GiveAsync(contact, order.Sign(authority), cancellation);
        if (missed.Count > 0)
            await output.WriteLineAsync(
                $"{order.Next.Tile}: not taken by {string.Join(' ', missed)}; they hear of it from the others");
    }

    private static async Task AwaitAsync(
        OperatorContact contact, TileRecovery recovery, TextWriter output, CancellationToken cancellation)
    {
        var order = recovery.Order;
        using var patience = new CancellationTokenSource(Patience);
        for (var before = -1; ;)
        {
            var active = await recovery.ActiveAsync(contact, cancellation);
            if (active.Length != before)
                await output.WriteLineAsync(
                    ($"{active.Length} of {order.Next.Members.Length} keep {order.Next.Tile} now "
                        + recovery.Names(active)).TrimEnd());
            before = active.Length;
            if (active.Length >= order.Next.Majority)
                break;
            if (patience.IsCancellationRequested)
                throw new StartRefusedException(
                    ExitCode.Unreachable, $"the new members of {order.Next.Tile} do not have all their data yet. It "
                    + "may still come: look again with the same command without --accept-loss.");
            await Task.Delay(Interval, cancellation);
        }

        await output.WriteLineAsync($"tile {order.Next.Tile} works again, as generation {order.Next.Generation}");
    }
}
