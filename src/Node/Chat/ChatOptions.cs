namespace ChordChat.Node.Chat;

public sealed record ChatOptions
{
    /// <summary>Cost of bcrypt for new accounts, 10 to 14. One more doubles the work of a guess.</summary>
    public int BcryptCost { get; init; } = 12;

    /// <summary>Logins that wait for a free core before more are refused.</summary>
    public int LoginQueueMax { get; init; } = 32;

    /// <summary>Wrong passwords from one address in a minute before it has to wait.</summary>
    public int FailuresPerAddressMax { get; init; } = 30;

    /// <summary>Whether people can make accounts; the same at all nodes.</summary>
    public RegistrationRule Registration { get; init; } = RegistrationRule.Open;

    /// <summary>Whose presence people are told; the same at all nodes.</summary>
    public PresenceRule Presence { get; init; } = PresenceRule.Everybody;

    /// <summary>Registrations from one address block (a /24 or /64) in a minute before it has to wait.</summary>
    public int RegistrationsPerAddressMax { get; init; } = 20;

    /// <summary>Registrations under way before more are refused.</summary>
    public int RegistrationQueueMax { get; init; } = 32;

    /// <summary>Names that may be asked for from one address block in a minute before it has to wait.</summary>
    public int NamesPerAddressMax { get; init; } = 20;

    /// <summary>Names that may be asked for at this node in a minute, by whomever.</summary>
    public int NamesMax { get; init; } = 200;

    /// <summary>Calls that read an account before or after a login (GetKdf, PublishKeys) from one address block (a /24,
    /// or a /48 of IPv6) in a minute before it has to wait.</summary>
    public int AccountReadsPerAddressMax { get; init; } = 120;

    /// <summary>The same from everybody at this node; a few from each address block are let in even beyond it.
    /// </summary>
    public int AccountReadsMax { get; init; } = 1_200;

    /// <summary>Questions about people in a minute that one holder of a pass may ask here; a list of all counts as ten.
    /// </summary>
    public int QuestionsPerUserMax { get; init; } = 600;

    /// <summary>How long after a login new keys may be published.</summary>
    public TimeSpan TicketLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a client may think about the challenge.</summary>
    public TimeSpan HelloTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Hellos from one address block (a /24 or /64) in a minute that no device of their user signed, before
    /// more are not judged.</summary>
    public int FailedHellosPerAddressMax { get; init; } = 30;

    /// <summary>Hellos in a minute that one device of a user signed, before more are not judged.</summary>
    public int HellosPerUserMax { get; init; } = 60;

    /// <summary>Clients of one address block (a /24, or a /48 of IPv6) that have not said yet who they are.</summary>
    public int UnprovenPerAddressMax { get; init; } = 1_024;

    /// <summary>Clients in all that have not said yet who they are.</summary>
    public int UnprovenMax { get; init; } = 4_096;

    /// <summary>Hellos of one address block (a /24, or a /48 of IPv6) that are judged at once; more wait.</summary>
    public int JudgedPerAddressMax { get; init; } = 256;

    /// <summary>Hellos in all that are judged at once; the address blocks take turns.</summary>
    public int JudgedMax { get; init; } = 1_024;

    /// <summary>Mean time between two renewals of a session's lease; a third of the lease or less.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often sessions are looked through for what is due.</summary>
    public TimeSpan KeeperInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Mail that may wait in memory for one client that reads slowly. What does not fit stays in the mailbox.
    /// </summary>
    public int OutgoingBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Changes of one user's circle in a minute at this node, questions included; what is more is to be tried
    /// again later.</summary>
    public int CircleChangesMax { get; init; } = 60;

    /// <summary>Unanswered sends of one session before the node stops reading from it.</summary>
    public int SendsInFlightMax { get; init; } = 1024;

    /// <summary>Messages that one user may hand in at this node in a minute; beyond it the node reads from them more
    /// slowly.</summary>
    public int SendsPerMinuteMax { get; init; } = 12_000;

    /// <summary>Sealed messages in memory that wait for a majority. Past it the client has to resend.</summary>
    public long QueuedBytesMax { get; init; } = 64L * 1024 * 1024;

    /// <summary>First pause before a queued message is tried again; doubles up to 15 s.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Everything wrong with these values, not only the first thing.</summary>
    public IEnumerable<string> Problems()
    {
        if (BcryptCost is < 10 or > 14)
            yield return $"{nameof(BcryptCost)} is {BcryptCost}; it must be from 10 to 14.";
        if (LoginQueueMax < 1)
            yield return $"{nameof(LoginQueueMax)} is {LoginQueueMax}; nobody could log in.";
        if (FailuresPerAddressMax < 1)
            yield return $"{nameof(FailuresPerAddressMax)} is {FailuresPerAddressMax}; nobody could log in.";
        if (RegistrationsPerAddressMax < 1 || RegistrationQueueMax < 1)
            yield return $"{nameof(RegistrationsPerAddressMax)} and {nameof(RegistrationQueueMax)} must be at least 1; "
                + $"to let nobody register, set {nameof(Registration)} to {RegistrationRule.Closed}.";
        if (HellosPerUserMax < 1)
            yield return $"{nameof(HellosPerUserMax)} is {HellosPerUserMax}; nobody could sign in.";
        if (HeartbeatInterval <= TimeSpan.Zero || HeartbeatInterval > TimeSpan.FromSeconds(5))
            yield return $"{nameof(HeartbeatInterval)} is {HeartbeatInterval}, but leases last 15 s: at most 5 s.";
        if (SendsPerMinuteMax < 1)
            yield return $"{nameof(SendsPerMinuteMax)} is {SendsPerMinuteMax}; nobody could send a message.";
        if (OutgoingBytesMax < 128 * 1024)
            yield return $"{nameof(OutgoingBytesMax)} is {OutgoingBytesMax}; one message may have 72 KiB.";
    }
}
