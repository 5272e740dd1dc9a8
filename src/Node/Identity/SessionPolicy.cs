namespace ChordChat.Node.Identity;

/// <summary>What a login does while the user's session is live; one rule for the whole cluster, fixed at its
/// start.</summary>
internal enum SessionPolicy
{
    /// <summary>The new login wins; the old client is told and closes.</summary>
    Takeover,

    /// <summary>The new login is refused.</summary>
    Reject,
}
