using System.Collections.Concurrent;
using ChordChat.Core.Chat;
using ChordChat.Node.Replication;

namespace ChordChat.Node.Chat;

/// <summary>Key logs: the newest entry stands in the account, each older one in a register written once.</summary>
internal sealed class KeyLogReader(IRegisters registers, IRegisterGlimpses glimpses)
{
    private const int KnownMax = 20_000;
    private const int AtOnceMax = 16;

    private readonly ConcurrentDictionary<(string User, ulong Number), ReadOnlyMemory<byte>> _known = new();

    /// <summary>The entries from <paramref name="from"/> on, without a gap.</summary>
    /// <exception cref="NoMajorityException">No copy of one of them answered.</exception>
    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(
        Account account, ulong from, CancellationToken cancellation)
    {
        if (from > account.Head.Number)
            return [];
        var entries = new List<ReadOnlyMemory<byte>>();
        for (var number = from; number < account.Head.Number; number += AtOnceMax)
        {
            var count = (int)Math.Min(AtOnceMax, account.Head.Number - number);
            var some = await Task.WhenAll(Enumerable.Range(0, count)
                .Select(i => ReadOneAsync(account.User, number + (ulong)i, cancellation)));
            if (some.Any(entry => entry.IsEmpty))
                throw new NoMajorityException("part of the key log cannot be read now");
            entries.AddRange(some);
        }

        entries.Add(account.Head.Entry);
        return entries;
    }

    /// <summary>One entry that is not the newest; empty when no copy of it answers.</summary>
    public Task<ReadOnlyMemory<byte>> ReadOldAsync(string user, ulong number, CancellationToken cancellation) =>
        ReadOneAsync(user, number, cancellation);

    /// <summary>Keeps the newest entry where old ones are, before another goes on top of it.</summary>
    public async Task<bool> ArchiveAsync(AccountRead.Found found, CancellationToken cancellation)
    {
        var account = found.Account;
        var entry = account.Head.Entry;
        var outcome = await registers.ChangeAsync(
            RegisterKey.KeyLog(account.User, account.Head.Number),
            current => current.IsEmpty ? entry : (ReadOnlyMemory<byte>?)null,
            cancellation);
        return outcome is ChangeOutcome.Stored
            || (outcome is ChangeOutcome.Declined(var there) && there.Span.SequenceEqual(entry.Span));
    }

    private async Task<ReadOnlyMemory<byte>> ReadOneAsync(string user, ulong number, CancellationToken cancellation)
    {
        if (_known.TryGetValue((user, number), out var known))
            return known;
        var entry = await glimpses.GlimpseAsync(RegisterKey.KeyLog(user, number), cancellation) switch
        {
            Glimpse.Agreed(var value) => value,
            // Written with one value only, which a majority had agreed on as the account's head: any copy will do.
            Glimpse.Unproven({ } newest, _, _) => newest.Shown,
            _ => default,
        };
        if (entry.IsEmpty)
            return entry;
        if (_known.Count >= KnownMax)
            _known.Clear();
        return _known[(user, number)] = entry;
    }
}
