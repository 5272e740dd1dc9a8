using ChordChat.Core.Chat;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Account records as far as they can be seen now: for showing, and for degraded logins and sessions. Whatever
/// creates, changes or refuses for good asks <see cref="Accounts"/>.</summary>
internal sealed class AccountGlimpses(IRegisterGlimpses registers)
{
    public async Task<AccountGlimpse> GlimpseAsync(string user, CancellationToken cancellation)
    {
        if (!UserName.IsValid(user))
            return new AccountGlimpse.None();
        return await registers.GlimpseAsync(RegisterKey.Account(user), cancellation) switch
        {
            Glimpse.Agreed({ IsEmpty: true }) => new AccountGlimpse.None(),
            Glimpse.Agreed(var value) => new AccountGlimpse.Agreed(Account.FromBytes(value)),
            Glimpse.Unproven({ } newest, var reached, var needed) =>
                new AccountGlimpse.Unproven(Account.FromBytes(newest.Shown), reached, needed),
            Glimpse.Unproven(null, var reached, var needed) => new AccountGlimpse.Unavailable(reached, needed),
            var other => throw new InvalidOperationException($"no account in {other}"),
        };
    }
}

/// <summary>What can be seen of an account.</summary>
internal abstract record AccountGlimpse
{
    private AccountGlimpse() { }

    public sealed record Agreed(Account Account) : AccountGlimpse;

    /// <summary>A majority agrees that nobody has this name.</summary>
    public sealed record None : AccountGlimpse;

    /// <summary>Of fewer copies than a majority: perhaps an old record, perhaps of somebody whose registration never
    /// came about.</summary>
    public sealed record Unproven(Account Account, int Reached, int Needed) : AccountGlimpse;

    public sealed record Unavailable(int Reached, int Needed) : AccountGlimpse;
}
