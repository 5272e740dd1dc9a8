using System.Text;
using ChordChat.Core.Ring;
using ChordChat.Node.Base;
using ChordChat.Node.Discovery;
using ChordChat.Tests.Unit.Base;
using Xunit;

namespace ChordChat.Tests.Unit.Discovery;

public class BeaconTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly string Ours = new('a', 32);
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly NodeId N1 = new(1, 1);
    private static readonly NodeId N2 = new(2, 2);

    private readonly BeaconJudge _judge = new(Ours, N1, Secret);

    [Fact]
    public void A_beacon_is_read_as_it_was_written()
    {
        var beacon = Of(N2);
        var datagram = beacon.Write(Secret);
        Assert.True(datagram.Length < Beacon.BytesMax);
        Assert.Equal(beacon, Beacon.TryParse(datagram));
        Assert.StartsWith($"chordchat* 1 {Ours} ", Encoding.ASCII.GetString(datagram), StringComparison.Ordinal);
        Assert.Equal(new BeaconVerdict.Ours(beacon), _judge.Judge(datagram, Now));
    }

    [Fact]
    public void No_bit_of_a_beacon_can_be_changed()
    {
        var datagram = Of(N2).Write(Secret);
        for (var bit = 0; bit < 8 * datagram.Length; bit++)
        {
            datagram[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsNotType<BeaconVerdict.Ours>(_judge.Judge(datagram, Now));
            datagram[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.IsNotType<BeaconVerdict.Ours>(_judge.Judge(datagram.AsSpan(0, bit / 8), Now));
        }
    }

    [Fact]
    public void Without_the_secret_nobody_is_believed() =>
        Assert.IsType<BeaconVerdict.Unproved>(_judge.Judge(Of(N2).Write(new byte[32]), Now));

    [Fact]
    public void Another_cluster_is_another_cluster_whatever_its_secret() =>
        Assert.IsType<BeaconVerdict.Foreign>(
            _judge.Judge((Of(N2) with { Cluster = new('b', 32) }).Write(Secret), Now));

    [Fact]
    public void Ones_own_beacon_comes_back_as_such() =>
        Assert.IsType<BeaconVerdict.Self>(_judge.Judge(Of(N1).Write(Secret), Now));

    [Fact]
    public void A_recorded_beacon_is_worth_nothing_after_a_newer_one()
    {
        var old = Of(N2);
        var moved = old with { SentMs = old.SentMs + 1, Address = new("10.0.0.9", 1) };
        var restarted = old with { Incarnation = old.Incarnation + 1 };
        Assert.IsType<BeaconVerdict.Ours>(_judge.Judge(old.Write(Secret), Now));
        Assert.IsType<BeaconVerdict.Nothing>(_judge.Judge(old.Write(Secret), Now));
        Assert.IsType<BeaconVerdict.Ours>(_judge.Judge(moved.Write(Secret), Now));
        Assert.IsType<BeaconVerdict.Nothing>(_judge.Judge(old.Write(Secret), Now));
        Assert.IsType<BeaconVerdict.Ours>(_judge.Judge(restarted.Write(Secret), Now));
        Assert.IsType<BeaconVerdict.Nothing>(_judge.Judge(moved.Write(Secret), Now));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(-11)]
    public void A_clock_that_is_far_off_is_named(int minutes)
    {
        var verdict = _judge.Judge(Of(N2).Write(Secret), Now.AddMinutes(minutes));
        Assert.Equal(TimeSpan.FromMinutes(-minutes), Assert.IsType<BeaconVerdict.WrongClock>(verdict).Difference);
    }

    [Theory]
    [InlineData("chordchat? 1", true)]
    [InlineData("chordchat? 1\n", true)]
    [InlineData("chordchat? 2", false)]
    [InlineData("chordchat", false)]
    [InlineData("", false)]
    public void A_client_may_ask_without_a_secret(string datagram, bool asked) =>
        Assert.Equal(asked, _judge.Judge(Encoding.ASCII.GetBytes(datagram), Now) is BeaconVerdict.Asked);

    [Fact]
    public void The_answer_to_a_client_is_one_line() => Assert.Equal(
        $"chordchat! 1 {Ours} n2 10.0.0.5:7402",
        Encoding.ASCII.GetString(Query.Answer(Ours, "n2", new("10.0.0.5", 7402))));

    [Fact]
    public void Another_cluster_is_said_once_and_again_after_ten_minutes()
    {
        var time = new ManualTime();
        var foreign = new ForeignClusters(time);
        Assert.True(foreign.Heard(Of(N2)));
        Assert.False(foreign.Heard(Of(N2)));
        time.Now = time.Now.AddMinutes(11);
        Assert.True(foreign.Heard(Of(N2)));
        Assert.Equal(3, Assert.Single(foreign.Seen()).Beacons);
    }

    [Fact]
    public void A_flood_is_cut_off_each_second_anew()
    {
        var time = new ManualTime();
        var limit = new RateLimit(3, time);
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => limit.Allows()));
        time.Now = time.Now.AddSeconds(1);
        Assert.True(limit.Allows());
    }

    private static Beacon Of(NodeId node) =>
        new(Ours, node, "n2", new("10.0.0.5", 7402), 3, true, Now.ToUnixTimeMilliseconds());
}
