using System.Collections.Concurrent;
using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Account records as a majority agrees on them, and which users exist.</summary>
internal sealed class Accounts(IRegisters registers)
{
    private const int KnownMax = 100_000;
    private readonly ConcurrentDictionary<string, bool> _known = new();

    public async Task<AccountRead> ReadAsync(string user, CancellationToken cancellation)
    {
        if (!UserName.IsValid(user))
            return new AccountRead.None();
        switch (await registers.ReadAsync(RegisterKey.Account(user), cancellation))
        {
            case ReadOutcome.Agreed({ IsEmpty: true }):
                return new AccountRead.None();
            case ReadOutcome.Agreed(var value):
                Know(user);
                return new AccountRead.Found(Account.FromBytes(value));
            case ReadOutcome.Unavailable(var reached, var needed):
                return new AccountRead.Unavailable(reached, needed);
            case var other:
                throw new InvalidOperationException($"no account in {other}");
        }
    }

    /// <summary>Whether it is certain that nobody has this name. Users never go away, so that is asked once for each.
    /// </summary>
    public ValueTask<bool> IsUnknownAsync(string user, CancellationToken cancellation) =>
        _known.ContainsKey(user) ? ValueTask.FromResult(false) : AskAsync(user, cancellation);

    /// <summary>Whether this node has seen that somebody has this name.</summary>
    public bool IsKnown(string user) => _known.ContainsKey(user);

    private async ValueTask<bool> AskAsync(string user, CancellationToken cancellation) =>
        await ReadAsync(user, cancellation) is AccountRead.None;

    private void Know(string user)
    {
        if (_known.Count >= KnownMax)
            _known.Clear();
        _known[user] = true;
    }
}

/// <summary>What a majority says of an account.</summary>
internal abstract record AccountRead
{
    private AccountRead() { }

    public sealed record Found(Account Account) : AccountRead;

    public sealed record None : AccountRead;

    public sealed record Unavailable(int Reached, int Needed) : AccountRead;
}
