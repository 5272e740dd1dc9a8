using System.Collections.Concurrent;
using ChordChat.Core.Chat;
using ChordChat.Node.Tiles;

namespace ChordChat.Node.Chat;

/// <summary>Key logs: the newest entry stands in the account, each older one in a register written once.</summary>
/// <remarks>docs/protocol.md#one-copy-of-a-log.</remarks>
internal sealed class KeyLogReader(IRegisters registers, IRegisterGlimpses glimpses, ClientProofs proofs)
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
        var entries = new List<ReadOnlyMemory<byte>> { account.Head.Entry };
        for (var end = account.Head.Number; end > from; end -= Math.Min(AtOnceMax, end - from))
        {
            var count = (int)Math.Min(AtOnceMax, end - from);
            var some = await Task.WhenAll(Enumerable.Range(1, count).Select(i =>
                SeeAsync(account.User, end - (ulong)i, key => glimpses.GlimpseAsync(key, cancellation))));
            foreach (var seen in some)
                entries.Add(Choose(seen, entry => ClientProofs.IsBefore(entry, entries[^1])) is { IsEmpty: false } entry
                    ? entry
                    : throw new NoMajorityException("part of the key log cannot be read now"));
        }

        entries.Reverse();
        return entries;
    }

    /// <summary>One entry that is not the newest; empty when no copy of it answers in time.</summary>
    public async Task<ReadOnlyMemory<byte>> ReadOldAsync(Account account, ulong number, CancellationToken patience)
    {
        var seen = await SeeAsync(account.User, number, key => glimpses.GlimpseWithinAsync(key, patience));
        return Choose(seen, entry => proofs.IsOlder(account, number, entry));
    }

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

    /// <summary>What a majority agrees on needs no proof. One copy alone may hold anything: the entry is what fits to
    /// the rest of the log, and it is not kept, so that a wrong one is gone with the call.</summary>
    private static ReadOnlyMemory<byte> Choose(Glimpse seen, Func<ReadOnlyMemory<byte>, bool> fits) => seen switch
    {
        Glimpse.Agreed(var value) => value,
        Glimpse.Unproven({ } shown, _, _) => shown.All.FirstOrDefault(fits),
        _ => default,
    };

    private async Task<Glimpse> SeeAsync(string user, ulong number, Func<RegisterKey, Task<Glimpse>> glimpse)
    {
        if (_known.TryGetValue((user, number), out var known))
            return new Glimpse.Agreed(known);
        var seen = await glimpse(RegisterKey.KeyLog(user, number));
        if (seen is not Glimpse.Agreed({ IsEmpty: false } agreed))
            return seen;
        if (_known.Count >= KnownMax)
            _known.Clear();
        _known[(user, number)] = agreed;
        return seen;
    }
}
