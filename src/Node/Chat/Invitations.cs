using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Lets in whom the operator has invited, each invitation for one name: docs/protocol.md#invitations.
/// </summary>
internal sealed class Invitations(ChatIdentity identity, ChatOptions options, IRegisters registers, ChatClock clock)
{
    public bool AreNeeded => options.Registration == RegistrationRule.Invitation;

    /// <summary>The code that somebody typed; null if it is none of this cluster's.</summary>
    public InvitationCode? Read(string text) => InvitationCode.TryParse(text, identity.TicketKey.Span);

    /// <summary>Looks at an invitation before the name is looked at: who cannot use it learns nothing of names.
    /// </summary>
    /// <returns>Null when it lets this name register, as far as a majority knows; else what to answer.</returns>
    public async Task<RegisterOutcome?> JudgeAsync(InvitationCode code, string user, CancellationToken cancellation) =>
        await registers.ReadAsync(RegisterKey.Invitation(code.Id), cancellation) switch
        {
            ReadOutcome.Agreed({ IsEmpty: true }) when IsExpired(code) =>
                new RegisterOutcome.NotInvited(InvitationFault.Expired),
            ReadOutcome.Agreed({ IsEmpty: true }) => null,
            ReadOutcome.Agreed(var use) => Judge(use, user),
            ReadOutcome.Unavailable(var reached, var needed) => new RegisterOutcome.Unavailable(reached, needed),
            var other => throw new InvalidOperationException($"no invitation in {other}"),
        };

    /// <summary>Uses the invitation up for this name; the same name may do so again.</summary>
    /// <returns>Null when the name may be registered now; else what to answer.</returns>
    public async Task<RegisterOutcome?> UseAsync(InvitationCode code, string user, CancellationToken cancellation)
    {
        var use = new InvitationUse(code.Bytes, user);
        return await registers.ChangeAsync(
            RegisterKey.Invitation(code.Id), current => IsExpired(code) ? null : InvitationUse.Take(current, use),
            cancellation) switch
        {
            ChangeOutcome.Stored => null,
            ChangeOutcome.Declined({ IsEmpty: true }) => new RegisterOutcome.NotInvited(InvitationFault.Expired),
            ChangeOutcome.Declined(var current) => Judge(current, user),
            ChangeOutcome.Unavailable(var reached, var needed) => new RegisterOutcome.Unavailable(reached, needed),
            _ => new RegisterOutcome.Unknown(),
        };
    }

    private bool IsExpired(InvitationCode code) => code.Expires.ToUnixTimeMilliseconds() <= clock.Unix;

    private static RegisterOutcome.NotInvited? Judge(ReadOnlyMemory<byte> use, string user) =>
        InvitationUse.FromBytes(use).User == user ? null : new RegisterOutcome.NotInvited(InvitationFault.Wrong);
}

/// <summary>Why somebody may not register.</summary>
internal enum InvitationFault
{
    /// <summary>None was shown.</summary>
    Needed,

    /// <summary>It is none of this cluster's, or was used for another name: who shows it is not told which.</summary>
    Wrong,
    Expired,
}
