using ChordChat.Core.Ring;
using Xunit;

namespace ChordChat.Tests.Simulation.Ring;

/// <summary>The named scenarios of docs/protocol.md, as a person can read them. r is 3; a node's number says where it
/// stands.</summary>
public class TranscriptTests
{
    private readonly SimulatedRing _ring = new(1, new RingOptions
    {
        SuccessorCount = 3,
        StabilizeInterval = TimeSpan.FromMilliseconds(1000),
        AskTimeout = TimeSpan.FromMilliseconds(300),
    });
    private readonly Transcript _transcript;

    public TranscriptTests()
    {
        _ring.World.Network.DelayMin = _ring.World.Network.DelayMax = TimeSpan.FromMilliseconds(5);
        _transcript = new Transcript(_ring);
    }

    [Fact]
    public void Join_into_one()
    {
        _ring.AddExact([10]);
        Join(20, by: 0);
        Settle("join-into-one");
    }

    [Fact]
    public void Two_joins_at_once()
    {
        _ring.AddExact([10, 20, 30, 40, 50]);
        Join(23, by: 1);
        Join(26, by: 1);
        Settle("two-joins-at-once");
    }

    [Fact]
    public void Successor_dies()
    {
        _ring.AddExact([10, 20, 30, 40, 50, 60]);
        Crash(1);
        Settle("successor-dies");
    }

    [Fact]
    public void Predecessor_dies_and_a_better_one_is_not_there()
    {
        _ring.AddExact([10, 20, 30, 40, 50]);
        Crash(4);
        Settle("predecessor-dies");
    }

    [Fact]
    public void All_but_one_of_the_successors_die()
    {
        _ring.AddExact([10, 20, 30, 40, 50, 60, 70]);
        Crash(1, 2);
        Settle("all-but-one-successor-die");
    }

    private void Join(int position, int by)
    {
        var node = _ring.Add((UInt128)position);
        _transcript.Say($"{node.Ring.Self} stands at {position} and knows {_ring.PeerOf(by)}");
        node.Feed(new RingInput.MembersKnown([_ring.PeerOf(by)], 0, []));
        node.Start();
    }

    private void Crash(params int[] numbers)
    {
        foreach (var number in numbers)
        {
            _transcript.Say($"{_ring.PeerOf(number)} dies");
            _ring.World.Crash(number);
        }
    }

    private void Settle(string name)
    {
        Assert.True(_ring.World.RunUntil(() => _ring.Running.Count() == _ring.Members.Count()
            && new RingChecker(_ring).Inexactness() is null, TimeSpan.FromSeconds(20)), "not exact after 20 s");
        _transcript.MustBe(name);
    }
}
