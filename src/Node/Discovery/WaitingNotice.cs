using ChordChat.Node.Base;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Discovery;

/// <summary>A node that finds nobody waits, and says so, with what to check.</summary>
internal sealed partial class WaitingNotice(
    LocalNode node, Genesis genesis, NodeOptions options, Company company, TimeProvider time,
    ILogger<WaitingNotice> logger) : ILoop
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    public async Task RunAsync(CancellationToken stopping)
    {
        if (genesis.Founders.Length == 1)
            return; // A cluster of one waits for nobody.
        var since = time.GetTimestamp();
        var wasAlone = true;
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stopping);
            var alone = company.IsAlone;
            if (alone && wasAlone)
                LogAlone(node.Self.Name, (int)time.GetElapsedTime(since).TotalSeconds, Where(), Check());
            else
                since = time.GetTimestamp();
            wasAlone = alone;
        }
    }

    private string Where()
    {
        var seeds = options.Seeds.Length == 0 ? "no seed" : $"seeds {string.Join(", ", options.Seeds)}";
        return options.Multicast ? $"multicast {options.MulticastGroup}, {seeds}" : $"{seeds}, multicast is off";
    }

    private string Check() => options.Multicast
        ? $"Check that other nodes run and that no firewall blocks UDP {options.MulticastGroup.Port} or TCP. Without "
            + "multicast, start with --seed HOST:PORT of any node"
        : "Check that a node runs at a seed and that its port is open; name more with --seed HOST:PORT";

    [LoggerMessage(8006, LogLevel.Warning, "{Name} has found nobody for {Seconds} s ({Where}). {Check}")]
    private partial void LogAlone(string name, int seconds, string where, string check);
}
