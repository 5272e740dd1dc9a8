namespace ChordChat.Node.Discovery;

/// <summary>What a datagram turned out to be.</summary>
internal abstract record BeaconVerdict
{
    private BeaconVerdict() { }

    /// <summary>A node of our cluster, proved and newer than what we had from it.</summary>
    public sealed record Ours(Beacon Beacon) : BeaconVerdict;

    /// <summary>Our own identity, proved: usually our own beacon coming back.</summary>
    public sealed record Self(Beacon Beacon) : BeaconVerdict;

    /// <summary>Somebody else's cluster; nothing about it is proved.</summary>
    public sealed record Foreign(Beacon Beacon) : BeaconVerdict;

    /// <summary>Says it is of our cluster but does not know the secret.</summary>
    public sealed record Unproved(Beacon Beacon) : BeaconVerdict;

    /// <summary>Ours, but by its clock it was sent long ago or is yet to be sent.</summary>
    public sealed record WrongClock(Beacon Beacon, TimeSpan Difference) : BeaconVerdict;

    /// <summary>A client asks for a node.</summary>
    public sealed record Asked : BeaconVerdict;

    /// <summary>A repetition, or nothing we know.</summary>
    public sealed record Nothing : BeaconVerdict;
}
