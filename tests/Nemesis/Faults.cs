namespace ChordChat.Tests.Nemesis;

/// <summary>Does one thing to the cluster after another, drawn from a seed, and takes each back.</summary>
internal sealed class Faults(
    IReadOnlyList<Node> nodes, Network network, Random random, string mix, bool canDelay, Action<string> say)
{
    private static readonly Dictionary<string, string[]> Mixes = new()
    {
        ["all"] = ["kill", "pause", "term", "storm", "power", "cut", "isolate", "ring", "bridge", "oneway", "slow"],
        ["crash"] = ["kill", "pause", "term", "storm", "power"],
        ["network"] = ["cut", "isolate", "ring", "bridge", "oneway", "slow"],
    };

    public static IEnumerable<string> MixNames => Mixes.Keys;

    public Dictionary<string, int> Counts { get; } = [];

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var kind = Mixes[mix][random.Next(Mixes[mix].Length)];
            Counts[kind] = Counts.GetValueOrDefault(kind) + 1;
            await DoAsync(kind, stopping);
            await HealAsync();
            await WaitAsync(random.Next(2, 10), stopping);
        }
    }

    /// <summary>Undoes everything: all nodes run, all hear each other.</summary>
    public async Task HealAsync()
    {
        foreach (var node in nodes)
        {
            await network.DeafenAsync(node.Index, []);
            await network.HastenAsync(node.Index);
            await node.SignalAsync("CONT");
            if (!node.IsUp)
                node.Start();
        }
    }

    private async Task DoAsync(string kind, CancellationToken stopping)
    {
        var order = nodes.OrderBy(_ => random.Next()).ToArray();
        var (victim, half, seconds) = (order[0], order.Take(nodes.Count / 2).ToArray(), random.Next(1, 20));
        say($"fault {kind}: {victim.Name} first of {string.Join(' ', order.Select(node => node.Name))}, {seconds} s");
        switch (kind)
        {
            case "pause":
                await victim.SignalAsync("STOP");
                break;
            case "term":
                await victim.SignalAsync("TERM");
                break;
            case "power":
                await Task.WhenAll(nodes.Select(node => node.SignalAsync("KILL")));
                break;
            case "storm":
                foreach (var node in order)
                    await RestartAsync(node, stopping);
                return;
            case "slow":
                foreach (var node in order)
                    await network.SlowAsync(node.Index, Queue(), random.Next(1, 12));
                break;
            case "cut" or "isolate" or "ring" or "bridge" or "oneway":
                await PartAsync(kind, order, half);
                break;
            default:
                await victim.SignalAsync("KILL");
                break;
        }

        await WaitAsync(seconds, stopping);
        foreach (var node in nodes.Where(_ => kind is "kill" or "term" or "power"))
            await GoneOrUpAsync(node, kind == "power" || node == victim);
    }

    /// <summary>A line with delay and disorder or, where the kernel has none, a narrow one.</summary>
    private string Queue()
    {
        var (delay, rate) = (random.Next(5, 80), random.Next(1, 8));
        return canDelay ? $"netem delay {delay}ms 10ms reorder 20% 50%" : $"tbf rate {rate}mbit burst 8kb latency 200ms";
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
            await network.DeafenAsync(node.Index, [.. silent.Where(other => other != node).Select(other => other.Index)]);
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

    private static async Task GoneOrUpAsync(Node node, bool gone)
    {
        if (gone)
            await node.GoneAsync(TimeSpan.FromSeconds(90));
    }

    private static Task WaitAsync(int seconds, CancellationToken stopping) =>
        Task.Delay(TimeSpan.FromSeconds(seconds), stopping).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
}
