using System.Collections.Concurrent;
using ChordChat.Core.Chat;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Reads account records, and remembers which users exist.</summary>
internal sealed class Accounts(IRegisters registers)
{
    private const int KnownMax = 100_000;
    private readonly ConcurrentDictionary<string, bool> _known = new();

    public async Task<AccountRead> ReadAsync(string user, CancellationToken cancellation)
    {
        if (!UserName.IsValid(user))
            return new AccountRead.None();
        var read = await registers.ReadAsync(RegisterKey.Account(user), cancellation);
        switch (read)
        {
            case ReadOutcome.Agreed({ IsEmpty: true }):
                return new AccountRead.None();
            case ReadOutcome.Agreed(var value):
                Know(user);
                return new AccountRead.Found(Account.FromBytes(value), IsDegraded: false);
            case ReadOutcome.Unavailable({ IsEmpty: false } newest, _, _):
                Know(user);
                return new AccountRead.Found(Account.FromBytes(newest), IsDegraded: true);
            case ReadOutcome.Unavailable(_, var reached, var needed):
                return new AccountRead.Unavailable(reached, needed);
            default:
                throw new InvalidOperationException($"no account in {read}");
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

internal abstract record AccountRead
{
    private AccountRead() { }

    /// <param name="IsDegraded">Not agreed by a majority: good for a login, for nothing that changes anything.</param>
    public sealed record Found(Account Account, bool IsDegraded) : AccountRead;

    public sealed record None : AccountRead;

    public sealed record Unavailable(int Reached, int Needed) : AccountRead;
}
