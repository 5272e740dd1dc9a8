using System.Collections.Concurrent;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>docs/protocol.md#endless-transfer: a peer that does not end holds up nobody's repair but its own.</summary>
public sealed class PeerTurnsTests
{
    private static readonly NodeId[] Peers =
        [.. Enumerable.Range(1, 6).Select(i => new NodeId((UInt128)(ulong)i << 124, 0))];

    private readonly ConcurrentQueue<NodeId> _done = new();
    private readonly ConcurrentQueue<Exception> _faults = new();

    [Fact]
    public async Task The_others_have_their_turn_beside_one_that_does_not_end_and_it_gets_no_second_one()
    {
        var begun = 0;
        using var stopping = new CancellationTokenSource();
        var turns = new PeerTurns(
            2, TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(200), _faults.Enqueue, TimeProvider.System);
        for (var round = 1; round <= 2; round++)
        {
            await turns.RunAsync(Peers, Work, stopping.Token);
            Assert.Equal(5 * round, _done.Count);
        }

        Assert.Equal(1, begun);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turns.RunAsync(Peers, Work, stopping.Token));

        async Task Work(NodeId peer, CancellationToken limit)
        {
            if (peer != Peers[0])
            {
                _done.Enqueue(peer);
                return;
            }

            Interlocked.Increment(ref begun);
            await Task.Delay(Timeout.InfiniteTimeSpan, limit);
        }
    }

    [Fact]
    public async Task Each_has_so_much_time_and_then_the_next_waits_no_more()
    {
        var turns = new PeerTurns(
            1, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1), _faults.Enqueue, TimeProvider.System);
        await turns.RunAsync(Peers, async (peer, limit) =>
        {
            if (peer == Peers[0])
                await Task.Delay(Timeout.InfiniteTimeSpan, limit);
            _done.Enqueue(peer);
        }, CancellationToken.None);
        Assert.Equal(Peers[1..], _done);
    }

    [Fact]
    public async Task A_fault_is_reported_and_costs_neither_the_others_their_turn_nor_that_peer_its_next()
    {
        var turns = new PeerTurns(
            2, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), _faults.Enqueue, TimeProvider.System);
        for (var round = 1; round <= 2; round++)
        {
            await turns.RunAsync(Peers, Work, CancellationToken.None);
            Assert.Equal(5 * round, _done.Count);
            Assert.Equal(round, _faults.Count);
        }

        Task Work(NodeId peer, CancellationToken limit)
        {
            if (peer == Peers[3])
                throw new InvalidDataException();
            _done.Enqueue(peer);
            return Task.CompletedTask;
        }
    }
}
