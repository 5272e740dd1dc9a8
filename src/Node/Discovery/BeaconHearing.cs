using ChordChat.Node.Base;
using ChordChat.Node.Identity;

namespace ChordChat.Node.Discovery;

/// <summary>Turns what was heard into hints for the ring and lines for the operator.</summary>
internal sealed class BeaconHearing(
    NodeIdentity identity, LocalNode node, DiscoveredPeers peers, Company company, ForeignClusters foreign,
    TimeProvider time, DiscoveryLog log)
{
    private const int KnownMax = 10_000;
    private static readonly TimeSpan SayAgain = TimeSpan.FromMinutes(10);
    private readonly BeaconJudge _judge = new(
        identity.Genesis.ClusterHex, identity.Self.Node, identity.Secret,
        denied => identity.Trust.Denied?.Of(denied) is not null);
    private readonly HashSet<string> _found = [];
    private readonly HashSet<string> _ownAddresses = [];
    private readonly RateLimit _answers = new(20, time);
    private DateTimeOffset _warnedAt = DateTimeOffset.MinValue;

    /// <summary>Acts on a datagram and says what it was; what is over the rate of answers counts as nothing.</summary>
    public BeaconVerdict Hear(ReadOnlySpan<byte> datagram, DateTimeOffset now)
    {
        var verdict = _judge.Judge(datagram, now);
        switch (verdict)
        {
            case BeaconVerdict.Ours(var beacon):
                company.Heard();
                Found(beacon);
                break;
            case BeaconVerdict.Self(var beacon):
                CheckCopy(beacon);
                break;
            case BeaconVerdict.Foreign(var beacon) when foreign.Heard(beacon):
                log.Foreign(beacon.Cluster[..8], beacon.Name, beacon.Address);
                break;
            case BeaconVerdict.Unproved(var beacon) when MaySay(now):
                log.Unproved(beacon.Name, beacon.Address);
                break;
            case BeaconVerdict.WrongClock(var beacon, var difference) when MaySay(now):
                log.WrongClock(beacon.Name, (int)difference.Duration().TotalMinutes, difference > TimeSpan.Zero);
                break;
            case BeaconVerdict.Asked when !_answers.Allows():
                return new BeaconVerdict.Nothing();
        }

        return verdict;
    }

    private void Found(Beacon beacon)
    {
        if (_found.Count < KnownMax && _found.Add($"{beacon.Node} {beacon.Address}"))
            log.Found(beacon.Name, beacon.Address);
        peers.Hint(new(beacon.Node, beacon.Name, beacon.Address.ToString(), "beacon"));
    }

    // Two processes with one identity would make and break each other's promises. A beacon proves nothing of their
    // disks: the ring rings the other one up, and one of the two ends (docs/protocol.md, Copied and restored disks).
    private void CheckCopy(Beacon beacon)
    {
        _ownAddresses.Add(node.Self.Address);
        if (beacon.Incarnation < node.Incarnation
            || (beacon.Incarnation == node.Incarnation && _ownAddresses.Contains(beacon.Address.ToString())))
            return;
        if (_found.Count < KnownMax && _found.Add($"{beacon.Node} {beacon.Address}"))
            log.Copied(node.Self.Name, beacon.Address);
        peers.Hint(new(beacon.Node, beacon.Name, beacon.Address.ToString(), "copy"));
    }

    private bool MaySay(DateTimeOffset now)
    {
        if (now - _warnedAt < SayAgain)
            return false;
        _warnedAt = now;
        return true;
    }
}
