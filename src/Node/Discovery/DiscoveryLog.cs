using ChordChat.Node.Base;

namespace ChordChat.Node.Discovery;

/// <summary>What discovery says to the operator.</summary>
internal sealed partial class DiscoveryLog(ILogger<DiscoveryLog> logger)
{
    [LoggerMessage(8001, LogLevel.Information, "found {Name} at {Address} by its beacon")]
    public partial void Found(string name, HostPort address);

    [LoggerMessage(8002, LogLevel.Warning,
        "another cluster is here: {Cluster} ({Name} at {Address}). The two never mix; stop one if this is not meant")]
    public partial void Foreign(string cluster, string name, HostPort address);

    [LoggerMessage(8003, LogLevel.Warning,
        "a beacon of this cluster from {Name} at {Address} has a wrong hash and is ignored: a forgery, or a node with "
        + "a damaged secret file")]
    public partial void Unproved(string name, HostPort address);

    [LoggerMessage(8004, LogLevel.Warning,
        "the clocks of {Name} and this machine differ by {Minutes} minutes (ahead: {Ahead}), so its beacons are "
        + "ignored. Set both by NTP")]
    public partial void WrongClock(string name, int minutes, bool ahead);

    [LoggerMessage(8005, LogLevel.Warning, "no beacons on network {Network}: {Why}")]
    public partial void NoBeacons(string network, string why);

    [LoggerMessage(8007, LogLevel.Warning,
        "another process runs with the identity of {Name}, at {Address}: this folder was copied. The one that lacks "
        + "something of the other stops")]
    public partial void Copied(string name, HostPort address);

    [LoggerMessage(8009, LogLevel.Debug, "a beacon could not be sent on {Network}: {Why}")]
    public partial void CannotSend(string network, string why);

    [LoggerMessage(8010, LogLevel.Debug, "beacons on {Network} cannot be heard just now: {Why}")]
    public partial void CannotHear(string network, string why);

    [LoggerMessage(8012, LogLevel.Warning,
        "the networks of this machine cannot be looked at just now, which is tried again: {Why}")]
    public partial void CannotFollow(string why);

    [LoggerMessage(8011, LogLevel.Information, "the address of {Name} changed from {Old} to {New}")]
    public partial void Moved(string name, string old, string @new);
}
