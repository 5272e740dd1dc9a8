using ChordChat.Core.Chat;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Lets in whom the operator has invited, each invitation for one name: docs/protocol.md#invitations.
/// </summary>
internal sealed class Invitations(ChatIdentity identity, ChatOptions options, IRegisters registers, ChatClock clock)
{
    public bool AreNeeded => options.Registration == RegistrationRule.Invitation;

    /// <summary>The code that somebody typed; null if it is none of this cluster's.</summary>
    public InvitationCode? Read(string text) => InvitationCode.TryParse(text, identity.TicketKey.Span);

    /// <summary>Uses the invitation up for this name; the same name may do so again.</summary>
    /// <returns>Null when the name may be registered now; else what to answer.</returns>
    public async Task<RegisterOutcome?> UseAsync(InvitationCode code, string user, CancellationToken cancellation)
    {
        var isExpired = code.Expires.ToUnixTimeMilliseconds() <= clock.Unix;
        var use = new InvitationUse(code.Bytes, user);
        return await registers.ChangeAsync(
            RegisterKey.Invitation(code.Id), current => isExpired ? null : InvitationUse.Take(current, use),
            cancellation) switch
        {
            ChangeOutcome.Stored => null,
            ChangeOutcome.Declined({ IsEmpty: true }) => new RegisterOutcome.NotInvited(InvitationFault.Expired),
            ChangeOutcome.Declined(var current) when InvitationUse.FromBytes(current).User == user => null,
            ChangeOutcome.Declined => new RegisterOutcome.NotInvited(InvitationFault.Used),
            ChangeOutcome.Unavailable(var reached, var needed) => new RegisterOutcome.Unavailable(reached, needed),
            _ => new RegisterOutcome.Unknown(),
        };
    }
}

/// <summary>Why somebody may not register.</summary>
internal enum InvitationFault
{
    /// <summary>None was shown.</summary>
    Needed,

    /// <summary>It is none of this cluster's.</summary>
    Wrong,
    Expired,

    /// <summary>For another name.</summary>
    Used,
}
