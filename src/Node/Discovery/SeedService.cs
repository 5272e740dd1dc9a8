using System.Net;
using System.Net.Sockets;
using ChordChat.Node.Base;

namespace ChordChat.Node.Discovery;

/// <summary>Hints at the seeds that the operator named and at the members of last time: often while alone, seldom
/// later, so that two halves of a cluster that lost each other meet again.</summary>
internal sealed partial class SeedService(
    NodeOptions options, RememberedPeers remembered, DiscoveredPeers peers, Company company, TimeProvider time,
    ILogger<SeedService> logger) : ILoop
{
    private static readonly TimeSpan Alone = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ResolveMax = TimeSpan.FromSeconds(5);
    private readonly HashSet<string> _unresolved = [];

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            foreach (var member in remembered.Earlier.Values)
                peers.Hint(new(member.Node, member.Name, member.Address, "memory"));
            foreach (var seed in options.Seeds)
                foreach (var address in await ResolveAsync(seed, stopping))
                    peers.Hint(new(null, seed.ToString(), address.ToString(), "seed"));
            await Task.Delay((company.IsAlone ? Alone : Settled) * Jitter(), time, stopping);
        }
    }

    private static double Jitter() => 0.75 + Random.Shared.NextDouble() / 2;

    // Asked again each time: names move, and a container's name has as many addresses as it has copies.
    private async Task<IEnumerable<HostPort>> ResolveAsync(HostPort seed, CancellationToken stopping)
    {
        if (seed.Address is not null)
            return [seed];
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        deadline.CancelAfter(ResolveMax);
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(seed.Host, deadline.Token);
            _unresolved.Remove(seed.Host);
            return addresses.Select(a => seed with { Host = a.ToString() });
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException
            && !stopping.IsCancellationRequested)
        {
            if (_unresolved.Add(seed.Host))
                LogUnresolved(seed, e.Message);
            return [];
        }
    }

    [LoggerMessage(8008, LogLevel.Warning,
        "the name of seed {Seed} has no address ({Why}); it is tried again and again")]
    private partial void LogUnresolved(HostPort seed, string why);
}
