using System.Net;
using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Creates accounts. However many ask for one name, and wherever, one gets it.</summary>
internal sealed partial class Registration(
    Accounts accounts,
    IRegisters registers,
    PasswordWork passwords,
    ClientProofs proofs,
    Invitations invitations,
    ChatClock clock,
    ILogger<Registration> logger)
{
    private const int TryCount = 3;

    /// <param name="address">Where the wish comes from.</param>
    public async Task<RegisterOutcome> RegisterAsync(
        RegisterWish wish, IPAddress? address, CancellationToken cancellation)
    {
        if (Problem(wish) is { } problem)
            return new RegisterOutcome.Invalid(problem);
        if (proofs.FirstEntry(wish.User, wish.KeyLogEntry, wish.Keyring) is not { } head)
            return new RegisterOutcome.Invalid("the key-log entry does not begin this user's log with this keyring");
        var invitation = invitations.AreNeeded ? invitations.Read(wish.Invitation) : null;
        if (invitations.AreNeeded && invitation is null)
            return new RegisterOutcome.NotInvited(
                wish.Invitation.Length == 0 ? InvitationFault.Needed : InvitationFault.Wrong);
        if (invitation is not null && await invitations.JudgeAsync(invitation, wish.User, cancellation) is { } judged)
            return judged;
        switch (await accounts.ReadAsync(wish.User, cancellation))
        {
            case AccountRead.Found(var there):
                return there.CreatedBy == wish.Operation
                    ? new RegisterOutcome.Registered()
                    : new RegisterOutcome.Taken();
            case AccountRead.Unavailable(var reached, var needed):
                return new RegisterOutcome.Unavailable(reached, needed);
        }

        string credential;
        using (var turn = await passwords.TryTakeAsync(address, cancellation))
        {
            if (turn is null)
                return new RegisterOutcome.Busy();
            credential = await passwords.HashAsync(wish.Secret, turn, cancellation);
        }

        if (invitation is not null && await invitations.UseAsync(invitation, wish.User, cancellation) is { } refusal)
            return refusal;
        return await CreateAsync(
            new Account(wish.User, wish.Operation, credential, 1, head, wish.Keyring, default, clock.Unix),
            isInvitationUsed: invitation is not null, cancellation);
    }

    private async Task<RegisterOutcome> CreateAsync(
        Account wanted, bool isInvitationUsed, CancellationToken cancellation)
    {
        var isUnknown = false;
        for (var i = 0; i < TryCount; i++)
            switch (await registers.ChangeAsync(
                RegisterKey.Account(wanted.User), current => Account.Register(current, wanted), cancellation))
            {
                case ChangeOutcome.Stored:
                    LogRegistered(wanted.User);
                    return new RegisterOutcome.Registered();
                case ChangeOutcome.Declined(var current):
                    return Account.IsCreatedBy(current, wanted.CreatedBy)
                        ? new RegisterOutcome.Registered()
                        : new RegisterOutcome.Taken();
                case ChangeOutcome.Unavailable when isInvitationUsed:
                    return new RegisterOutcome.Unknown(); // It is good for this name only now: something has changed.
                case ChangeOutcome.Unavailable(var reached, var needed) when !isUnknown:
                    return new RegisterOutcome.Unavailable(reached, needed);
                default:
                    isUnknown = true; // From now on a try that changed nothing proves nothing of the one before.
                    break;
            }

        return new RegisterOutcome.Unknown();
    }

    private static string? Problem(RegisterWish wish) => wish switch
    {
        _ when !UserName.IsValid(wish.User) => UserName.Rule,
        { Secret.Length: not ChatLimits.SecretLength } => "the secret has 43 characters",
        { KeyLogEntry.Length: > ChatLimits.KeyLogEntryBytesMax } => "the key-log entry is too long",
        { Keyring.Length: 0 or > ChatLimits.KeyringBytesMax } => "the keyring is missing or too long",
        _ => null,
    };

    [LoggerMessage(5001, LogLevel.Information, "{User} registered")]
    private partial void LogRegistered(string user);
}

/// <param name="Operation">Random; the same on every retry.</param>
/// <param name="Invitation">As typed; empty when there is none.</param>
internal sealed record RegisterWish(
    string User, UInt128 Operation, string Secret, ReadOnlyMemory<byte> KeyLogEntry, ReadOnlyMemory<byte> Keyring,
    string Invitation = "");

internal abstract record RegisterOutcome
{
    private RegisterOutcome() { }

    public sealed record Registered : RegisterOutcome;

    public sealed record Taken : RegisterOutcome;

    public sealed record NotInvited(InvitationFault Fault) : RegisterOutcome;

    public sealed record Invalid(string Why) : RegisterOutcome;

    public sealed record Busy : RegisterOutcome;

    /// <summary>This request has changed nothing; one before it with the same operation perhaps has.</summary>
    public sealed record Unavailable(int Reached, int Needed) : RegisterOutcome;

    /// <summary>It may have taken effect; repeating it with the same operation tells.</summary>
    public sealed record Unknown : RegisterOutcome;
}
