using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChordChat.Node.Base;
using ChordChat.Node.Identity;
using ChordChat.Node.Operations;
using ChordChat.Node.Ring;

namespace ChordChat.Node.Commands;

/// <summary>cluster renew: new certificates for the keys that nodes have; a node keeps its place and its
/// data.</summary>
internal static class RenewCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("NAME")
        {
            Description = "Names of nodes.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var all = new Option<bool>("--all")
        {
            Description = "All nodes that run or whose folder is in --data.",
            Arity = ArgumentArity.Zero,
        };
        var data = CommandLine.DataOption("The folder that 'cluster init' wrote, with cluster/ in it.");
        var node = new Option<string?>("--node")
        {
            Description = "host:port of any running node. Default: those of --data that run.",
        };
        var file = new Option<string?>("--file")
        {
            Description = "Renew this copy of a node's identity.crt, for a machine that cannot be reached; put it back "
                + "there.",
        };
        var command = new Command(
            "renew", "Give nodes new certificates before the old ones expire. Nothing is restarted.")
        {
            names, all, data, node, file.Named(),
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (root, chosen) = (parsed.GetRequiredValue(data), parsed.GetValue(names) ?? []);
            bool[] said = [chosen.Length > 0, parsed.GetValue(all), parsed.GetValue(file) is not null];
            if (said.Count(one => one) != 1)
                throw new StartRefusedException(ExitCode.Usage, "name nodes, or --all, or --file: one of the three.");
            var folder = new ClusterFolder(root);
            using var authority = folder.OpenAuthority();
            if (parsed.GetValue(file) is { } path)
                return RenewFile(path, ReadNamed(path), authority, path);
            var at = parsed.GetValue(node) is { } named ? [named] : NodeContact.Addresses(root).ToArray();
            return await RenewAsync(
                folder, authority, chosen, parsed.GetValue(all), at, cancellation);
        });
        return command;
    }

    /// <returns>0 when all of them were renewed.</returns>
    public static async Task<int> RenewAsync(
        ClusterFolder folder, ClusterAuthority authority, string[] names, bool all, string[] addresses,
        CancellationToken cancellation)
    {
        using var contact = new OperatorContact(authority, folder.DenyList(authority), DateTimeOffset.UtcNow);
        // One that lies may leave out a node, or name another address for it.
        var told = await Task.WhenAll(addresses.Select(address => contact.HoldersAsync(address, cancellation)));
        var running = told.OfType<DenyListHolder[]>().SelectMany(nodes => nodes)
            .DistinctBy(node => (node.Name, node.Address)).ToLookup(node => node.Name, node => node.Address);
        if (all)
            names = [.. running.Select(node => node.Key).Concat(folder.NodeFolderNames()).Distinct().Order()];
        var worst = (int)ExitCode.Done;
        foreach (var name in names)
        {
            var file = Path.Combine(folder.NodeFolder(name), $"{NodeIdentity.KeyName}.crt");
            int code;
            if (running.Contains(name))
                code = await RenewRunningAsync(contact, authority, name, running[name], cancellation);
            else if (File.Exists(file))
                code = TryRenewFile(file, authority, name);
            else
            {
                Console.WriteLine($"{name}: does not answer, and its folder is not here; start it, or copy its "
                    + "identity.crt and use --file");
                code = (int)ExitCode.Unreachable;
            }

            worst = Math.Max(worst, code);
        }

        return worst;
    }

    private static async Task<int> RenewRunningAsync(
        OperatorContact contact, ClusterAuthority authority, string name, IEnumerable<string> addresses,
        CancellationToken cancellation)
    {
        foreach (var address in addresses)
        {
            if (await contact.GetAsync(address, Renewal.Path, cancellation) is not { } pem
                || contact.ShownAt(address) is not { } shown || shown.Name != name
                || Renew(Encoding.ASCII.GetString(pem), authority) is not { } renewed)
                continue;
            using (renewed)
                if (NodeCertificate.Read(renewed)?.Node == shown.Node && await contact.PutAsync(
                    address, Renewal.Path, Encoding.ASCII.GetBytes(renewed.ExportCertificatePem()), cancellation)
                    is HttpStatusCode.NoContent)
                {
                    Console.WriteLine($"{name}: {Until(renewed)}, in use now");
                    return (int)ExitCode.Done;
                }
        }

        Console.WriteLine($"{name}: the node at {string.Join(" or ", addresses)} did not take a new certificate");
        return (int)ExitCode.Unreachable;
    }

    /// <summary>One of several: what is wrong with it is no reason to leave out the others.</summary>
    private static int TryRenewFile(string file, ClusterAuthority authority, string name)
    {
        try
        {
            return RenewFile(file, File.ReadAllText(file), authority, name);
        }
        catch (StartRefusedException e)
        {
            Console.WriteLine($"{name}: {e.Message}");
            return (int)e.Code;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.WriteLine($"{name}: {file} cannot be read or written: {e.Message}");
            return (int)ExitCode.Storage;
        }
    }

    private static string ReadNamed(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartRefusedException(ExitCode.Usage, $"--file cannot be read: {e.Message}");
        }
    }

    private static int RenewFile(string file, string pem, ClusterAuthority authority, string name)
    {
        using var renewed = Renew(pem, authority)
            ?? throw new StartRefusedException(
                ExitCode.Damaged, $"{file} is not the certificate of a node of this cluster");
        PrivateFiles.Write(file, Encoding.ASCII.GetBytes(renewed.ExportCertificatePem()));
        Console.WriteLine($"{name}: {Until(renewed)}; written to {file}, used from the next start on");
        return (int)ExitCode.Done;
    }

    private static X509Certificate2? Renew(string pem, ClusterAuthority authority)
    {
        try
        {
            using var old = X509Certificate2.CreateFromPem(pem);
            return authority.RenewNode(old, DateTimeOffset.UtcNow);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private static string Until(X509Certificate2 renewed) =>
        string.Create(CultureInfo.InvariantCulture, $"valid until {renewed.NotAfter.ToUniversalTime():yyyy-MM-dd}");
}
