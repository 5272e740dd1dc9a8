using System.CommandLine;
using System.Net;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Commands;

/// <summary>cluster revoke: a stolen or lost node, or a page's certificate, is of the cluster no more.</summary>
internal static class RevokeCommand
{
    private static readonly TimeSpan SpreadMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "The node's name, as 'chordchat-node ring' shows it." };
        var data = CommandLine.DataOption("The folder that 'cluster init' wrote, with cluster/ in it.");
        var node = new Option<string?>("--node")
        {
            Description = "host:port of any running node to hand the list to. Default: those of --data that run.",
        };
        var viewer = new Option<bool>("--viewer")
        {
            Description = "Revoke the page certificates with this NAME instead of a node's (NAME is the --name of "
                + "'cluster viewer'; its default is viewer).",
            Arity = ArgumentArity.Zero,
        };
        var yes = new Option<bool>("--yes") { Description = "Do not ask.", Arity = ArgumentArity.Zero };
        var command = new Command(
            "revoke", "Revoke a node's certificate, for ever: for a machine that was stolen or lost.")
        {
            name, data, node, viewer, yes,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var root = parsed.GetRequiredValue(data);
            var at = parsed.GetValue(node) is { } named ? [named] : NodeContact.Addresses(root).ToArray();
            return await RevokeAsync(
                new(root), parsed.GetRequiredValue(name), parsed.GetValue(viewer), at,
                what => parsed.GetValue(yes) || Asked(what), cancellation);
        });
        return command;
    }

    /// <param name="asked">Gets what it means; false: do nothing.</param>
    public static async Task<int> RevokeAsync(
        ClusterFolder folder, string name, bool isViewer, string[] addresses, Func<string, bool> asked,
        CancellationToken cancellation)
    {
        using var held = folder.Hold();
        using var authority = folder.OpenAuthority();
        var now = DateTimeOffset.UtcNow;
        // Any node may have the newest list, and the nodes that it names are told, too.
        using var contact = new OperatorContact(authority, denied: null, now);
        await LearnAsync(folder, authority, contact, addresses, cancellation);
        var more = isViewer ? folder.ViewersToDeny(name, now) : folder.NodesToDeny(name, now);
        if (more.Count > 0)
        {
            if (!asked(Meaning(name, isViewer)))
            {
                await Console.Error.WriteLineAsync("nothing was changed");
                return (int)ExitCode.Usage;
            }

            folder.Deny(authority, more);
        }

        held.Dispose(); // Handing it out may take a minute.
        var signed = folder.SignedDenyList()!;
        var number = folder.DenyList(authority)!.Number;
        Console.WriteLine(more.Count > 0
            ? $"{name} is revoked; the list of revoked certificates (number {number}) is in cluster/denied"
            : $"{name} was revoked before; the list (number {number}) is handed out again");
        using var others = new OperatorContact(authority, folder.DenyList(authority), now);
        return await HandOutAsync(contact, others, addresses, signed, number, cancellation);
    }

    private static string Meaning(string name, bool isViewer) => isViewer
        ? $"This revokes all certificates for pages with the name {name} that were made until now. Pages that use one "
            + "show how many people are online, and no names, until they get a new one ('cluster viewer').\n"
        : $"This revokes the certificate of node {name}, for ever. All other nodes hang up on it within a minute and "
            + "copy its share of the data among themselves; the node itself stops when it hears of it. Its folder can "
            + $"never be used again. The name {name} can be invited again, with a new key. There is no way back.\n"
            + "To stop a node that you still have and trust, use 'chordchat-node drain' instead.\n";

    private static bool Asked(string meaning)
    {
        Console.Error.Write(meaning + "Type yes to go on: ");
        return Console.ReadLine()?.Trim() == "yes";
    }

    /// <summary>A folder that was put back from a backup must not issue a number twice.</summary>
    private static async Task LearnAsync(
        ClusterFolder folder, ClusterAuthority authority, OperatorContact contact, string[] addresses,
        CancellationToken cancellation)
    {
        foreach (var address in addresses)
            if (await contact.GetAsync(address, DenialEndpoints.Path, cancellation) is { Length: > 0 } theirs)
                folder.TakeDenyList(authority, theirs);
    }

    private static async Task<int> HandOutAsync(
        OperatorContact contact, OperatorContact others, string[] addresses, byte[] signed, ulong number,
        CancellationToken cancellation)
    {
        var taken = new List<string>();
        foreach (var address in addresses)
            if (await contact.PutAsync(address, DenialEndpoints.Path, signed, cancellation)
                is HttpStatusCode.NoContent)
                taken.Add(address);
        DenyListHolder[] holders = [];
        for (var since = DateTime.UtcNow; taken.Count > 0 && DateTime.UtcNow - since < SpreadMax;)
        {
            foreach (var address in taken)
                if (await others.HoldersAsync(address, cancellation) is { } told)
                {
                    holders = told;
                    break;
                }

            if (holders.Length > 0 && holders.All(holder => holder.Number >= number))
                break;
            await Task.Delay(Look, cancellation);
        }

        if (holders.Length == 0 && taken.Count > 0)
            throw new StartRefusedException(
                ExitCode.Unreachable, $"{string.Join(", ", taken)} took the list, and hands it on; which nodes have it "
                + "by now could not be found out. Type the same command again to see.");
        if (holders.Length == 0)
            throw new StartRefusedException(
                ExitCode.Unreachable, $"no node of this cluster took the list (asked: {string.Join(", ", addresses)}). "
                + "It is in force nowhere yet: start a node, or name a running one with --node HOST:PORT, and type the "
                + "same command again.");
        var have = holders.Count(holder => holder.Number >= number);
        Console.WriteLine($"{have} of {holders.Length} running nodes have it");
        foreach (var late in holders.Where(holder => holder.Number < number))
            Console.WriteLine($"  not yet: {late.Name} at {late.Address}; it gets it from the others");
        Console.WriteLine("A node that is down gets it from the others when it comes back.");
        return (int)ExitCode.Done;
    }
}
