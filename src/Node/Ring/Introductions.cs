using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Node.Discovery;
using ChordChat.Node.Hosting;
using ChordChat.Node.Transport;

namespace ChordChat.Node.Ring;

/// <summary>Turns hints (beacons, seeds, memory) into members: rings up the address, proves who answers, tells the
/// ring. Tells discovery in turn who is there.</summary>
internal sealed class Introductions(
    RingDriver ring,
    RingCalls calls,
    PeerLinks links,
    LocalNode node,
    DiscoveredPeers hints,
    Company company,
    RememberedPeers remembered,
    TimeProvider time) : ILoop, IDisposable
{
    private const int AtOnceMax = 8;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _free = new(AtOnceMax);

    public void Dispose() => _free.Dispose();

    public Task RunAsync(CancellationToken stopping) =>
        Periodic.RunAllAsync(stopping, FollowHintsAsync, ReportAsync);

    private async Task FollowHintsAsync(CancellationToken stopping)
    {
        await foreach (var hint in hints.ReadAllAsync(stopping))
        {
            if (IsKnownThere(hint))
                continue;
            await _free.WaitAsync(stopping);
            _ = MeetAsync(hint.Address, stopping);
        }
    }

    /// <summary>Nothing to learn from a hint at a member that answers at that very address.</summary>
    private bool IsKnownThere(DiscoveredPeer hint) => hint.Node is { } node
        ? ring.Now.Members[node] is { IsReachable: true } member && member.Peer.Address == hint.Address
        : ring.Now.Members.All.Any(member => member.IsReachable && member.Peer.Address == hint.Address);

    private async Task MeetAsync(string address, CancellationToken stopping)
    {
        try
        {
            var own = ring.Now.Members.Own;
            var answer = await calls.MeetAsync(address, own, AnswerTimeout, stopping);
            if (answer is not null && answer.From.Peer.Node == own.Peer.Node)
                await links.ContestAsync(address, own.Peer.Node, AnswerTimeout, stopping);
            else if (answer is not null)
                await ring.MetAsync(
                    answer.From with { Peer = answer.From.Peer with { Address = address } }, answer.Gossip, stopping);
        }
        catch (OperationCanceledException)
        {
            // This node stops.
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Members that have a voice: those that have spoken here, even if they are away now, and those that spoke
    /// here before this start. The latter count as long as the ring remembers them or, if nobody tells of them, for as
    /// long as it would. Others may be made up.</summary>
    internal static ImmutableArray<Peer> Answered(
        MembershipState state, IReadOnlyDictionary<NodeId, Peer> earlier, TimeSpan now) =>
    [
        .. state.Members.All
            .Where(member => member.Peer != state.Members.Self && !state.Denied.Contains(member.Peer.Node)
                && (member.Spoken > 0 || earlier.ContainsKey(member.Peer.Node)))
            .OrderByDescending(member => member.Spoken > 0)
            .Select(member => member.Peer),
        .. earlier.Values.Where(peer => now - state.StartedAt < state.Options.ForgetAfter
            && state.Members[peer.Node] is null && !state.Denied.Contains(peer.Node)),
    ];

    private async Task ReportAsync(CancellationToken stopping)
    {
        ImmutableArray<Peer> before = [];
        while (!stopping.IsCancellationRequested)
        {
            if (node.Self.Address is var address && address != ring.Now.Self.Address)
                await ring.GiveAsync(now => new MembershipInput.Moved(now, address), stopping);
            var live = ring.Now.Members.Live;
            company.Report(live.Length);
            var known = Answered(ring.Now.Membership, remembered.Earlier, ring.Clock);
            if (!known.SequenceEqual(before)
                || known.Zip(before).Any(pair => pair.First.Address != pair.Second.Address))
                remembered.Save(known);
            before = known;
            await Task.Delay(ReportInterval, time, stopping);
        }
    }
}
