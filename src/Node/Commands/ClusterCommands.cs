using System.CommandLine;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ShellWord = ChordChat.Wire.ShellWord;

namespace ChordChat.Node.Commands;

/// <summary>cluster init, invite, join, revoke, renew: who is a member; invite-user: who may register; recover: what to
/// do when too many are gone.</summary>
internal static class ClusterCommands
{
    public static Command Create() => new(
        "cluster", "Make a cluster, say who belongs to it, and recover tiles that have lost most of their disks.")
    {
        Init(),
        Invite(),
        InviteUserCommand.Create(),
        JoinCommand.Create(),
        ViewerCommand.Create(),
        RevokeCommand.Create(),
        RenewCommand.Create(),
        RecoverCommand.Create(),
    };

    private static Command Init()
    {
        var data = CommandLine.DataOption("Where to write cluster/ (the authority's key: keep it safe, nodes do not "
            + "need it) and nodes/NAME for each founder (move each to the machine it shall run on).");
        var count = new Option<int?>("--nodes")
        {
            Description = "How many nodes found the cluster. All of them must be started; more can join later. "
                + "Default 5.",
        };
        var names = new Option<string>("--names")
        {
            Description = "Their names, with commas between. Default n1,n2,...",
        };
        var backups = new Option<int?>("--replicas")
        {
            Description = "K: everything is kept on K + 1 nodes and stays available while any K/2 of them (rounded "
                + "down) are lost, apart from a short pause when tiles change members. Cannot be changed later. "
                + "Default 2 (three copies), less when there are fewer nodes.",
        };
        var policy = new Option<SessionPolicy>("--policy")
        {
            Description = "takeover: a new login ends the old session; reject: a new login is refused while one is "
                + "live. Cannot be changed later.",
            DefaultValueFactory = _ => SessionPolicy.Takeover,
        };
        var demo = new Option<bool>("--demo")
        {
            Description = "Accept short passwords. Never for real conversations.",
            Arity = ArgumentArity.Zero,
        };
        var command = new Command("init", "Make a new cluster: its authority, its secret and its founding nodes.")
        {
            data, count, names, backups, policy, demo,
        };
        command.SetAction(parsed =>
        {
            var named = parsed.GetValue(names)?.Split(
                ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            var nodes = parsed.GetValue(count) ?? named?.Length ?? 5;
            if (named is not null && named.Length != nodes)
                throw new StartRefusedException(ExitCode.Usage, $"--nodes is {nodes}, but --names has {named.Length}.");
            named ??= [.. Enumerable.Range(1, Math.Clamp(nodes, 0, ClusterPlan.FoundersMax + 1)).Select(i => $"n{i}")];
            var plan = new ClusterPlan(
                named, parsed.GetValue(backups) ?? Math.Min(2, named.Length - 1),
                parsed.GetValue(policy), parsed.GetValue(demo));
            Create(plan, parsed.GetRequiredValue(data));
        });
        return command;
    }

    private static void Create(ClusterPlan plan, string data)
    {
        if (plan.Problems().ToArray() is { Length: > 0 } problems)
            throw StartRefusedException.Usage("this cluster cannot be made:", problems);
        var folder = new ClusterFolder(data);
        var genesis = folder.Create(plan, DateTimeOffset.UtcNow);
        Console.WriteLine($"cluster {genesis.ShortName}: {Count(plan.Names.Count, "node", "nodes")}, "
            + $"{Count(genesis.BackupCount + 1, "copy", "copies")} of everything");
        foreach (var name in plan.Names)
            Console.WriteLine($"  chordchat-node run --data {ShellWord.Of(folder.NodeFolder(name))}");
        if (plan.Demo)
            Console.WriteLine("This is a demo cluster: it accepts short passwords. Do not use it for real "
                + "conversations.");
    }

    private static string Count(int count, string one, string more) => $"{count} {(count == 1 ? one : more)}";

    private static Command Invite()
    {
        var data = CommandLine.DataOption("The folder that 'cluster init' wrote, with cluster/ in it.");
        var node = new Option<string>("--node")
        {
            Description = "host:port of a running node, as the new machine will reach it; it keeps the (sealed) "
                + "identity until the token is used. Default: the first node of --data that answers.",
        };
        var name = new Option<string>("--name") { Description = "The new node's name. Default the next free one." };
        var minutes = new Option<int>("--minutes")
        {
            Description = "How long the token is good for: whoever has it in that time becomes a node. Default 15.",
            DefaultValueFactory = _ => 15,
        };
        var command = new Command("invite", "Print a token with which one machine can join, once.")
        {
            data, node, name, minutes,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var root = parsed.GetRequiredValue(data);
            var life = TimeSpan.FromMinutes(parsed.GetValue(minutes));
            if (life <= TimeSpan.Zero || life > Invites.LifeMax)
                throw new StartRefusedException(ExitCode.Usage, "--minutes must be 1 to 1440.");
            var at = parsed.GetValue(node) ?? await AnsweringAsync(root, cancellation);
            if (!HostPort.TryParse(at, out var address))
                throw new StartRefusedException(ExitCode.Usage, $"--node is '{at}'; it must look like 10.0.0.5:7401.");
            var token = await Invitation.InviteAsync(
                new(root), at, parsed.GetValue(name), life, DateTimeOffset.UtcNow, cancellation);
            Console.WriteLine(token);
            await Console.Error.WriteLineAsync(
                $"Good once, until {token.Expires:u}. On the new machine: chordchat-node cluster join --data DIR, then "
                + $"paste the token (the node will be {token.Name}).");
            if (address.Address is { } ip && System.Net.IPAddress.IsLoopback(ip))
                await Console.Error.WriteLineAsync(
                    $"{at} can be reached from this machine only; for another machine start the node with --listen "
                    + "0.0.0.0:PORT and name its address here with --node.");
        });
        return command;
    }

    /// <summary>One of those that have been started here; some may be gone.</summary>
    private static async Task<string> AnsweringAsync(string root, CancellationToken cancellation)
    {
        using var contact = await NodeContact.OpenAsync(root, null, cancellation);
        return contact.Address;
    }
}
