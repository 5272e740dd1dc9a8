using ChordChat.Crypto.Keys;

namespace ChordChat.Crypto.KeyLogs;

/// <summary>What a client remembers of a contact's key log, so that no node can swap keys unnoticed.</summary>
/// <param name="Identity">H("ik-id", ik) of the identity last seen.</param>
/// <param name="Seq">Of the newest entry seen.</param>
/// <param name="Entry">Its hash.</param>
/// <param name="Verified">The safety number was compared for this identity.</param>
/// <remarks>docs/e2e.md, Pins. Values only: following a log makes a new pin.</remarks>
public sealed record Pin(string User, Digest Identity, ulong Seq, Digest Entry, PinState State, bool Verified)
{
    /// <summary>Whether a client may send without asking its user first.</summary>
    public bool MaySend => State is not (PinState.IdentityRotated or PinState.Conflict);

    /// <summary>The first sight of a contact.</summary>
    public static Pin FirstSight(KeyLog log) =>
        new(log.User, IdentityOf(log.Head), log.Head.Seq, log.Head.Hash, PinState.New, Verified: false);

    /// <summary>Compares a log with what is pinned.</summary>
    /// <returns>
    /// The pin to keep from now on. Null when the log is older than the pin, or somebody else's: the node is behind,
    /// hides something or lies, so ask another one and use the log that is known. A conflict stays until the user
    /// settles it outside.
    /// </returns>
    public Pin? Follow(KeyLog log)
    {
        if (State == PinState.Conflict)
            return this;
        if (log.Head.Seq < Seq || IsStranger(log))
            return null;
        if (log.Entries[(int)Seq].Hash != Entry)
            return AsConflict();
        var next = this with { Seq = log.Head.Seq, Entry = log.Head.Hash, Identity = IdentityOf(log.Head) };
        if (next.Seq == Seq)
            return this;
        var rotated = State == PinState.IdentityRotated || next.Identity != Identity;
        return rotated
            ? next with { State = PinState.IdentityRotated, Verified = false }
            : next with { State = PinState.DeviceChanged };
    }

    /// <summary>Whether a log that does not extend the pinned one bears no signature of the pinned identity where it
    /// differs. Anybody can make such a log, so it accuses nobody but the node that shows it.</summary>
    public bool IsStranger(KeyLog log) =>
        log.User != User
        || (log.Head.Seq >= Seq && log.Entries[(int)Seq].Hash != Entry
            && !log.Entries.Take((int)Seq + 1).Any(entry => IdentityOf(entry) == Identity));

    /// <summary>The user compared the safety number and it was the same.</summary>
    public Pin AsVerified() =>
        State == PinState.Conflict ? this : this with { State = PinState.Verified, Verified = true };

    /// <summary>The user has seen the notice about a new device.</summary>
    public Pin AsSeen() => State == PinState.DeviceChanged
        ? this with { State = Verified ? PinState.Verified : PinState.New }
        : this;

    /// <summary>The user agrees to write to the new identity.</summary>
    public Pin AsAccepted() => State == PinState.IdentityRotated ? this with { State = PinState.New } : this;

    /// <summary>Someone was shown another key than the real one.</summary>
    public Pin AsConflict() => this with { State = PinState.Conflict, Verified = false };

    private static Digest IdentityOf(KeyLogEntry entry) => IdentityPublicKey.IdOf(entry.Identity.Span);
}
