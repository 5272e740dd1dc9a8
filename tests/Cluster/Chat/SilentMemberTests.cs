using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

public sealed class SilentMemberTests
{
    private static readonly Peer[] Members =
        [.. Enumerable.Range(1, 3).Select(i => new Peer(new NodeId(0, (UInt128)i), default, $"n{i}", ""))];

    [Fact]
    public async Task Somebody_online_is_found_without_waiting_for_a_member_that_is_gone()
    {
        var link = new HalfSilentPeers(new Lease("anna", 4, Members[0].Node, 1));
        var elsewhere = new Peer(new NodeId(0, 9), default, "n9", "");
        var identity = new ChatIdentity
        {
            Self = elsewhere,
            Cluster = ChatCluster.Id,
            Authority = default,
            TicketKey = default,
        };
        var replication = new MemoryReplication(Members);
        var here = new PeerRequests(
            new SessionTable(), replication, new ClientProofs(identity), new ChatClock(TimeProvider.System));
        var whereabouts = new Whereabouts(
            replication, new ChatPeers(identity, link, here), new ChatClock(TimeProvider.System));

        var lease = await whereabouts.FindAsync("anna", CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal(4ul, lease!.Session);
    }

    /// <summary>The first two members answer; the third never does.</summary>
    private sealed class HalfSilentPeers(Lease lease) : NoPeerChat
    {
        public override IReadOnlyList<Peer> Peers => Members;

        public override Task<LeaseFound?> FindLeaseAsync(Peer peer, string user, CancellationToken cancellation) =>
            peer == Members[2]
                ? new TaskCompletionSource<LeaseFound?>().Task
                : Task.FromResult<LeaseFound?>(new LeaseFound(peer == Members[0] ? lease : null));
    }
}
