using System.Diagnostics;

namespace ChordChat.Tests.Nemesis;

/// <summary>Does one thing to the cluster after another, drawn from a seed, and takes each back.</summary>
internal sealed class Faults(World world, Network network, NameRace race, Random random, string mix, bool canDelay)
{
    private const int FreezeSeconds = 30;
    private static readonly TimeSpan SafeMax = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan ReadyMax = TimeSpan.FromSeconds(40);

    private static readonly string[] Crashes = ["kill", "pause", "term", "storm", "power"];
    private static readonly string[] Cuts = ["cut", "isolate", "ring", "bridge", "oneway", "slow"];
    private static readonly string[] Hosts = ["full", "wipe", "freeze"];
    private static readonly string[] Outages = ["outage", "blackout"];

    /// <summary>What guests do to their own clients, and what is done to nodes while somebody waits for them.</summary>
    private static readonly string[] Guests = ["client", "device", "sides", "claim", "disk"];
    private static readonly string[] OfGuests = ["client", "device"];

    private static readonly Dictionary<string, string[]> Mixes = new()
    {
        ["all"] = [.. Crashes, .. Cuts, .. Hosts, .. Outages, .. Guests],
        ["crash"] = Crashes,
        ["network"] = Cuts,
        ["host"] = Hosts,
        ["people"] = [.. Guests, "kill", "pause", "storm", "power", "cut", "oneway"],
        ["names"] = ["claim", "disk", "client"],
        ["outage"] = [.. Outages, "disk", "kill", "power"],
        ["clock"] = ["clock", "kill", "pause", "cut"],
    };

    private readonly string[] _kinds =
    [
        .. Mixes[mix].Except(OfGuests).Where(kind => kind switch
        {
            "full" => world.Nodes.Any(node => node.Disk is not null),
            "clock" => world.Nodes.Any(node => node.Clock is not null),
            _ => true,
        }),
    ];

    public static IEnumerable<string> MixNames => Mixes.Keys;

    /// <summary>Whether a mix has a kind of fault.</summary>
    public static bool Has(string name, string kind) => Mixes[name].Contains(kind);

    public Dictionary<string, int> Counts { get; } = [];

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var kind = _kinds[random.Next(_kinds.Length)];
            Counts[kind] = Counts.GetValueOrDefault(kind) + 1;
            await DoAsync(kind, stopping);
            await HealAsync();
            await WaitAsync(random.Next(2, 10), stopping);
        }
    }

    /// <summary>Undoes everything but wrong clocks: all nodes run, all hear each other.</summary>
    public Task HealAsync() => HealAsync(world.Nodes, network);

    /// <summary>Undoes what was done to these nodes and their networks.</summary>
    public static async Task HealAsync(IReadOnlyList<Node> nodes, Network network)
    {
        foreach (var node in nodes)
        {
            await network.DeafenAsync(node.Index, []);
            await network.HastenAsync(node.Index);
            await node.SignalAsync("CONT");
            node.Disk?.MakeRoom();
            node.SlowDisk?.Set(0);
            if (!node.IsUp)
                node.Start();
        }
    }

    private async Task DoAsync(string kind, CancellationToken stopping)
    {
        var order = world.Nodes.OrderBy(_ => random.Next()).ToArray();
        var (victim, half, seconds) = (order[0], order.Take(order.Length / 2).ToArray(), random.Next(1, 20));
        world.Say(
            $"fault {kind}: {victim.Name} first of {string.Join(' ', order.Select(node => node.Name))}, {seconds} s");
        if (await DoToAllAsync(kind, order, seconds, stopping))
            return;
        switch (kind)
        {
            case "pause" or "freeze":
                await victim.SignalAsync("STOP");
                seconds = kind == "freeze" ? FreezeSeconds : seconds;
                break;
            case "full":
                victim = order.First(node => node.Disk is not null);
                victim.Disk!.Fill();
                break;
            case "clock":
                StepClocks(order);
                break;
            case "term":
                await victim.SignalAsync("TERM");
                break;
            case "outage":
                await StrainAsync([victim], stopping);
                await victim.SignalAsync("KILL");
                await victim.GoneAsync(TimeSpan.FromSeconds(90));
                Lose(victim);
                break;
            case "slow":
                foreach (var node in order)
                    await network.SlowAsync(node.Index, Queue(), random.Next(1, 12));
                break;
            case "disk":
                foreach (var node in half)
                    node.SlowDisk?.Set(random.Next(20, 400));
                break;
            case "sides":
                await PartWithGuestsAsync(order, half);
                seconds += 10;
                break;
            case "cut" or "isolate" or "ring" or "bridge" or "oneway":
                await PartAsync(kind, order, half);
                break;
            default:
                await victim.SignalAsync("KILL");
                break;
        }

        await WaitAsync(seconds, stopping);
        if (kind == "full")
            await StartOnFullDiskAsync(victim);
        if (kind is "kill" or "term")
            await victim.GoneAsync(TimeSpan.FromSeconds(90));
    }

    /// <summary>What has its own course, after which all nodes run again.</summary>
    /// <returns>Whether this kind is one of them.</returns>
    private async Task<bool> DoToAllAsync(string kind, Node[] order, int seconds, CancellationToken stopping)
    {
        switch (kind)
        {
            case "power":
                await PowerAsync(seconds, [], stopping);
                return true;
            case "blackout":
                await StrainAsync(order, stopping);
                await PowerAsync(seconds, order, stopping);
                return true;
            case "storm":
                foreach (var node in order)
                    await RestartAsync(node, stopping);
                return true;
            case "claim":
                await ClaimAsync(order, stopping);
                return true;
            case "wipe":
                await WipeAsync(order.First(node => node.Disk is null), order[^1]);
                return true;
            default:
                return false;
        }
    }

    /// <summary>All nodes die at once, and what their disks hold is compared with what people were told.</summary>
    /// <param name="losers">Whose machines lose what they had not synced.</param>
    private async Task PowerAsync(int seconds, Node[] losers, CancellationToken stopping)
    {
        var kept = world.Record.ToldKept();
        await Task.WhenAll(world.Nodes.Select(node => node.SignalAsync("KILL")));
        foreach (var node in world.Nodes)
            await node.GoneAsync(TimeSpan.FromSeconds(90));
        foreach (var node in losers)
            Lose(node);
        world.JudgeDisks(kept);
        await WaitAsync(seconds, stopping);
    }

    /// <summary>Makes syncs slow enough to die in one.</summary>
    private async Task StrainAsync(Node[] nodes, CancellationToken stopping)
    {
        foreach (var node in nodes)
            node.SlowDisk?.Set(random.Next(50, 500));
        await WaitAsync(2, stopping);
    }

    /// <summary>Takes from a node's disk what it had not synced: all of it, none, or every other write.</summary>
    private void Lose(Node node)
    {
        node.SlowDisk?.Set(0);
        if (node.Unsynced is null)
            return;
        var share = random.Next(3) * 0.5;
        world.Say($"  {node.Name} loses {node.Unsynced.Lose(node.Folder, () => random.NextDouble() < share)} writes");
    }

    /// <summary>A node whose disk is still full has to say so and end; its end is judged later.</summary>
    private static async Task StartOnFullDiskAsync(Node victim)
    {
        if (victim.IsUp)
            return; // Nobody has wanted it to write anything.
        victim.Start();
        await victim.GoneAsync(TimeSpan.FromSeconds(90));
    }

    /// <summary>Two clocks go wrong, one of them so far that only an operator's error explains it, until the next
    /// step.</summary>
    private void StepClocks(Node[] order)
    {
        foreach (var (node, max) in order.Where(node => node.Clock is not null).Take(2).Zip([540, 7_200]))
        {
            node.Clock!.Set(TimeSpan.FromSeconds(random.Next(-max, max)));
            world.Say($"  the clock of {node.Name} is {node.Clock.Offset.TotalSeconds:0} s off");
        }
    }

    /// <summary>A node loses its disk and joins as a new one. Only when no tile needs its copy for a majority; and the
    /// newcomer takes part before anything else happens.</summary>
    private async Task WipeAsync(Node victim, Node host)
    {
        if (host == victim)
            host = world.Nodes.First(node => node != victim);
        if (!await IsTrueWithinAsync(SafeMax, victim.IsSafeToStopAsync))
        {
            world.Say($"  {victim.Name} is not wiped: it is still needed after {SafeMax.TotalSeconds} s");
            return;
        }

        await victim.SignalAsync("KILL");
        await victim.GoneAsync(TimeSpan.FromSeconds(60));
        await victim.JoinAnewAsync(host);
        victim.Start();
        world.Say($"  it is {victim.Name} now");
        if (!await IsTrueWithinAsync(SafeMax, victim.IsReadyAsync)
            || !await IsTrueWithinAsync(SafeMax, victim.IsSafeToStopAsync))
            throw new InvalidOperationException($"{victim.Name} did not become a node like others");
    }

    private static async Task<bool> IsTrueWithinAsync(TimeSpan limit, Func<Task<bool>> condition)
    {
        var waited = Stopwatch.StartNew();
        while (!await condition())
            if (waited.Elapsed > limit)
                return false;
            else
                await Task.Delay(500);
        return true;
    }

    /// <summary>A line with delay and disorder or, where the kernel has none, a narrow one.</summary>
    private string Queue()
    {
        var (delay, rate) = (random.Next(5, 80), random.Next(1, 8));
        return canDelay
            ? $"netem delay {delay}ms 10ms reorder 20% 50%"
            : $"tbf rate {rate}mbit burst 8kb latency 200ms";
    }

    /// <summary>Two halves, each with half of the guests.</summary>
    private async Task PartWithGuestsAsync(Node[] order, Node[] half)
    {
        foreach (var node in order)
        {
            var others = order.Where(other => half.Contains(other) != half.Contains(node)).Select(other => other.Index);
            await network.DeafenAsync(node.Index, [.. others], guests: half.Contains(node) ? 0 : 1);
        }
    }

    /// <summary>Names are claimed at one node while two others die, perhaps between promise and accept. Those come
    /// back, the first goes, and somebody else claims the names.</summary>
    private async Task ClaimAsync(Node[] order, CancellationToken stopping)
    {
        const int Names = 5;
        var (first, dying) = (order[^1], order[..2]);
        foreach (var node in dying)
            node.SlowDisk?.Set(random.Next(50, 300));
        string[] names = [.. Enumerable.Range(0, Names).Select(_ => race.Next())];
        var claims = names.Select(name => race.ClaimAsync(name, 0, first.Address)).ToArray();
        await Task.WhenAny(Task.Delay(random.Next(200, 4_000), CancellationToken.None), Task.WhenAll(claims));
        await Task.WhenAll(dying.Select(node => node.SignalAsync("KILL")));
        await Task.WhenAny(Task.WhenAll(claims), Task.Delay(random.Next(1, 15_000), CancellationToken.None));
        foreach (var node in dying)
        {
            await node.GoneAsync(TimeSpan.FromSeconds(90));
            node.SlowDisk?.Set(0);
            node.Start();
        }

        await first.SignalAsync("KILL");
        await IsTrueWithinAsync(ReadyMax, dying[0].IsReadyAsync);
        await Task.WhenAll(claims);
        await Task.WhenAll(names.Select(name => race.ClaimAsync(name, 1, dying[0].Address)));
        await first.GoneAsync(TimeSpan.FromSeconds(90));
    }

    private async Task PartAsync(string kind, Node[] order, Node[] half)
    {
        foreach (var (place, node) in order.Index())
        {
            var (before, after) = (order[(place + order.Length - 1) % order.Length], order[(place + 1) % order.Length]);
            var silent = kind switch
            {
                "isolate" => place == 0 ? order[1..] : order[..1],
                "oneway" => place == 0 ? order[1..] : [],
                "ring" => [.. order.Where(other => other != before && other != after)],
                "bridge" => node == order[^1] ? [] : [.. Others(node).Where(other => other != order[^1])],
                _ => Others(node),
            };
            await network.DeafenAsync(
                node.Index, [.. silent.Where(other => other != node).Select(other => other.Index)]);
        }

        Node[] Others(Node node) => [.. order.Where(other => half.Contains(other) != half.Contains(node))];
    }

    private static async Task RestartAsync(Node node, CancellationToken stopping)
    {
        await node.SignalAsync("KILL");
        await node.GoneAsync(TimeSpan.FromSeconds(60));
        node.Start();
        await WaitAsync(1, stopping);
    }

    private static Task WaitAsync(int seconds, CancellationToken stopping) =>
        Task.Delay(TimeSpan.FromSeconds(seconds), stopping).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}
