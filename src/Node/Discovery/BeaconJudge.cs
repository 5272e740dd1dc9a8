using ChordChat.Core.Ring;

namespace ChordChat.Node.Discovery;

/// <summary>Decides what to believe of a datagram. Whoever can reach the port can send anything.</summary>
internal sealed class BeaconJudge(
    string cluster, NodeId self, byte[] secret, Func<NodeId, bool>? isDenied = null)
{
    private readonly ReplayGuard _replays = new();

    public BeaconVerdict Judge(ReadOnlySpan<byte> datagram, DateTimeOffset now)
    {
        if (Query.Is(datagram))
            return new BeaconVerdict.Asked();
        if (Beacon.TryParse(datagram) is not { } beacon)
            return new BeaconVerdict.Nothing();
        if (beacon.Cluster != cluster)
            return new BeaconVerdict.Foreign(beacon);
        if (!Beacon.IsProved(datagram, secret))
            return new BeaconVerdict.Unproved(beacon);
        if (beacon.Node == self)
            return new BeaconVerdict.Self(beacon);
        if (isDenied?.Invoke(beacon.Node) is true)
            return new BeaconVerdict.Nothing();
        if (beacon.ClockDifference(now) is { } difference)
            return new BeaconVerdict.WrongClock(beacon, difference);
        return _replays.IsNew(beacon, now) ? new BeaconVerdict.Ours(beacon) : new BeaconVerdict.Nothing();
    }
}
