using System.Globalization;

namespace ChordChat.Tests.Nemesis;

/// <summary>One network namespace per node and one for the clients, on a bridge in a namespace of its own.</summary>
/// <remarks>The machine's own network is never touched. Names carry the runner's process id: whoever starts later
/// sweeps what a killed runner left.</remarks>
internal sealed class Network(int owner, int nodeCount)
{
    private const string Prefix = "ccnem-";

    public string Clients => $"{Prefix}{owner}-c";

    private string Bridge => $"{Prefix}{owner}-b";

    public static string AddressOf(int node) => $"10.77.0.{node + 10}";

    /// <summary>The network of half of the guests; <paramref name="side"/> is 0 or 1.</summary>
    public string Guests(int side) => $"{Prefix}{owner}-g{side}";

    public static string AddressOfGuests(int side) => $"10.77.0.{side + 3}";

    public string Space(int node) => $"{Prefix}{owner}-{node}";

    public async Task CreateAsync()
    {
        await Shell.RunAsync("ip", "netns", "add", Bridge);
        await InAsync(Bridge, "ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
        await InAsync(Bridge, "ip", "link", "set", "br0", "up");
        await PlugAsync(Clients, "vc", "10.77.0.2");
        foreach (var side in Enumerable.Range(0, 2))
            await PlugAsync(Guests(side), $"vg{side}", AddressOfGuests(side));
        for (var node = 0; node < nodeCount; node++)
            await PlugAsync(Space(node), $"v{node}", AddressOf(node));
    }

    /// <summary>What <paramref name="node"/> does not hear: packets from these nodes, and perhaps from one of the
    /// two networks of guests. None: it hears all.</summary>
    public async Task DeafenAsync(int node, IReadOnlyCollection<int> from, int? guests = null)
    {
        await Shell.TryAsync("ip", "netns", "exec", Space(node), "nft", "delete", "table", "ip", "nemesis");
        var silent = from.Select(AddressOf).Concat(guests is { } side ? [AddressOfGuests(side)] : []).ToArray();
        if (silent.Length > 0)
            await InAsync(
                Space(node), "nft",
                "add table ip nemesis; add chain ip nemesis heard { type filter hook input priority 0; }; "
                + $"add rule ip nemesis heard ip saddr {{ {string.Join(", ", silent)} }} drop");
    }

    /// <summary>From now on no multicast reaches <paramref name="node"/> and none of its own gets out.</summary>
    public Task BlockMulticastAsync(int node) => InAsync(
        Space(node), "nft",
        "add table ip plain; add chain ip plain heard { type filter hook input priority 2; }; "
        + "add chain ip plain said { type filter hook output priority 2; }; "
        + "add rule ip plain heard iifname eth0 ip daddr 224.0.0.0/4 counter drop; "
        + "add rule ip plain said oifname eth0 ip daddr 224.0.0.0/4 counter drop");

    /// <summary>Whether multicast was dropped on its way to <paramref name="node"/> and from it.</summary>
    public async Task<bool> HasBlockedMulticastAsync(int node)
    {
        var rules = await InAsync(Space(node), "nft", "list table ip plain");
        return rules.Contains("counter packets", StringComparison.Ordinal)
            && !rules.Contains("counter packets 0 ", StringComparison.Ordinal);
    }

    /// <summary>Whether this kernel can delay and reorder packets. Without, <see cref="SlowAsync"/> narrows the line
    /// and loses packets only.</summary>
    public async Task<bool> CanDelayAsync()
    {
        var add = await Shell.TryAsync(
            "ip", "netns", "exec", Space(0), "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms");
        await Shell.TryAsync("ip", "netns", "exec", Space(0), "tc", "qdisc", "del", "dev", "lo", "root");
        return add.Code == 0;
    }

    /// <summary>Gives what a node sends a queue of its own (the words after "root" of tc), and loses some of what it
    /// is sent.</summary>
    public async Task SlowAsync(int node, string queue, int lossPercent)
    {
        await InAsync(Space(node), ["tc", "qdisc", "add", "dev", "eth0", "root", .. queue.Split(' ')]);
        await InAsync(
            Space(node), "nft",
            "add table ip loss; add chain ip loss heard { type filter hook input priority 1; }; "
            + $"add rule ip loss heard iifname eth0 numgen random mod 100 < {lossPercent} drop");
    }

    /// <summary>The node sends as fast as it goes and hears all.</summary>
    public async Task HastenAsync(int node)
    {
        await Shell.TryAsync("ip", "netns", "exec", Space(node), "tc", "qdisc", "del", "dev", "eth0", "root");
        await Shell.TryAsync("ip", "netns", "exec", Space(node), "nft", "delete", "table", "ip", "loss");
    }

    public Task DeleteAsync() => DeleteAsync(owner);

    /// <summary>Ends and removes what runners left that do not live any more.</summary>
    public static async Task SweepAsync()
    {
        var (_, list) = await Shell.TryAsync("ip", "netns", "list");
        var owners = list.Split('\n').Where(line => line.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(line => int.Parse(line.Split('-')[1], CultureInfo.InvariantCulture)).Distinct();
        foreach (var dead in owners.Where(id => !Directory.Exists($"/proc/{id}")))
            await DeleteAsync(dead);
    }

    private static async Task DeleteAsync(int owner)
    {
        var (_, list) = await Shell.TryAsync("ip", "netns", "list");
        foreach (var space in list.Split('\n').Select(line => line.Split(' ')[0])
            .Where(name => name.StartsWith($"{Prefix}{owner}-", StringComparison.Ordinal)))
        {
            // Everything in a space with our prefix was started by a runner.
            var (_, pids) = await Shell.TryAsync("ip", "netns", "pids", space);
            foreach (var pid in pids.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                await Shell.TryAsync("kill", "-9", pid);
            await Shell.TryAsync("ip", "netns", "del", space);
        }
    }

    private async Task PlugAsync(string space, string plug, string address)
    {
        await Shell.RunAsync("ip", "netns", "add", space);
        await InAsync(space, "ip", "link", "add", "eth0", "type", "veth", "peer", "name", plug, "netns", Bridge);
        await InAsync(Bridge, "ip", "link", "set", plug, "master", "br0", "up");
        await InAsync(space, "ip", "addr", "add", $"{address}/24", "dev", "eth0");
        await InAsync(space, "ip", "link", "set", "lo", "up");
        await InAsync(space, "ip", "link", "set", "eth0", "up");
        await InAsync(space, "ip", "route", "add", "default", "dev", "eth0");
    }

    private static Task<string> InAsync(string space, params string[] command) =>
        Shell.RunAsync("ip", ["netns", "exec", space, .. command]);
}
