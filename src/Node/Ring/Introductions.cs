using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Node.Links;

namespace ChordChat.Node.Ring;

/// <summary>Turns hints (beacons, seeds, memory) into members: rings up the address, proves who answers, tells the
/// ring.</summary>
internal sealed class Introductions(RingDriver ring, RingCalls calls, PeerLinks links, DiscoveredPeers hints)
    : ILoop, IDisposable
{
    private const int AtOnceMax = 8;
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);
    private readonly SemaphoreSlim _free = new(AtOnceMax);

    public void Dispose() => _free.Dispose();

    public async Task RunAsync(CancellationToken stopping)
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
}
