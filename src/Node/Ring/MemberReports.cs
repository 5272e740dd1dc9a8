using System.Collections.Immutable;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Ring;

/// <summary>Tells the ring where this node is now, and discovery who is there and who has been.</summary>
internal sealed class MemberReports(
    RingDriver ring, LocalNode node, Company company, RememberedPeers remembered, TimeProvider time) : ILoop
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public async Task RunAsync(CancellationToken stopping)
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
            await Task.Delay(Interval, time, stopping);
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
}
