using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Account records as far as they can be seen now: for showing, and for degraded logins and sessions. Whatever
/// creates, changes or refuses for good asks <see cref="Accounts"/>.</summary>
internal sealed class AccountGlimpses(IRegisterGlimpses registers)
{
    public async Task<AccountGlimpse> GlimpseAsync(string user, CancellationToken cancellation) =>
        UserName.IsValid(user)
            ? Read(user, await registers.GlimpseAsync(RegisterKey.Account(user), cancellation))
            : new AccountGlimpse.None();

    /// <summary>The same within a time: then it is what the copies that have answered show.</summary>
    public async Task<AccountGlimpse> GlimpseWithinAsync(string user, CancellationToken patience) =>
        UserName.IsValid(user)
            ? Read(user, await registers.GlimpseWithinAsync(RegisterKey.Account(user), patience))
            : new AccountGlimpse.None();

    private static AccountGlimpse Read(string user, Glimpse glimpse)
    {
        switch (glimpse)
        {
            case Glimpse.Agreed({ IsEmpty: true }):
                return new AccountGlimpse.None();
            case Glimpse.Agreed(var value):
                return new AccountGlimpse.Agreed(Account.FromBytes(value));
            case Glimpse.Unproven({ } shown, var reached, var needed):
                Account[] accounts = [.. shown.All.Select(TryRead).OfType<Account>().Where(one => one.User == user)];
                return accounts is [var newest, .. var others]
                    ? new AccountGlimpse.Unproven(newest, reached, needed) { Others = others }
                    : throw new InvalidDataException("no copy that answers holds an account of this user");
            case Glimpse.Unproven(null, var reached, var needed):
                return new AccountGlimpse.Unavailable(reached, needed);
            case var other:
                throw new InvalidOperationException($"no account in {other}");
        }
    }

    /// <summary>One copy may lie, and others answer beside it.</summary>
    private static Account? TryRead(ReadOnlyMemory<byte> value)
    {
        try
        {
            return Account.FromBytes(value);
        }
        catch (InvalidDataException)
        {
            return null;
        }
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
    public sealed record Unproven(Account Account, int Reached, int Needed) : AccountGlimpse
    {
        /// <summary>What other copies hold, the newest first.</summary>
        public IReadOnlyList<Account> Others { get; init; } = [];
    }

    public sealed record Unavailable(int Reached, int Needed) : AccountGlimpse;
}
