using ChordChat.Core.Chat;
using ChordChat.Core.Ring;
using ChordChat.Node.Chat;
using Xunit;

namespace ChordChat.Tests.Cluster.Chat;

/// <summary>docs/protocol.md#presence</summary>
public sealed class WhereaboutsTests
{
    private static readonly Peer[] Peers =
        [.. Enumerable.Range(1, 3).Select(i => new Peer(new NodeId(0, (ulong)i), default, $"n{i}", ""))];

    /// <summary>Each list asks every node, so questions that come together share one.</summary>
    [Fact]
    public async Task Who_is_online_is_gathered_once_for_many_who_ask_at_once()
    {
        var link = new CountedPeers();
        var replication = new MemoryReplication(Peers);
        var clock = new ChatClock(TimeProvider.System);
        var identity = new ChatIdentity
        {
            Self = new Peer(new NodeId(0, 9), default, "n9", ""),
            Cluster = ChatCluster.Id,
            Authority = default,
            TicketKey = default,
        };
        var here = new PeerRequests(new SessionTable(), replication, new ClientProofs(identity), clock);
        var whereabouts = new Whereabouts(replication, new ChatPeers(identity, link, here), clock);

        for (var round = 1; round <= 2; round++)
        {
            var lists = await Task.WhenAll(
                Enumerable.Range(0, 200).Select(_ => whereabouts.ListAsync(10, CancellationToken.None)));
            Assert.All(lists, list => Assert.Equal(["anna1", "anna2", "anna3"], list.Select(lease => lease.User)));
            Assert.InRange(link.ListCount, 3 * round, 6 * round); // Some may ask when the first one has begun.
        }
    }

    private sealed class CountedPeers : NoPeerChat
    {
        private int _listCount;

        public int ListCount => Volatile.Read(ref _listCount);

        public override IReadOnlyList<Peer> Peers => WhereaboutsTests.Peers;

        public override async Task<IReadOnlyList<Lease>?> ListSessionsAsync(
            Peer peer, int max, CancellationToken cancellation)
        {
            Interlocked.Increment(ref _listCount);
            await Task.Yield();
            return [new Lease($"anna{peer.Node.Low}", 1, peer.Node, 1)];
        }
    }
}
