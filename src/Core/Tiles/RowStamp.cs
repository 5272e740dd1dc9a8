using ChordChat.Core.Ring;

namespace ChordChat.Core.Tiles;

/// <summary>A row's name and state without its content: all that two copies must compare.</summary>
/// <param name="At">The row's name, as a position: a register's key, or set and id.</param>
/// <param name="Accepted">Of a register; there is one value per ballot.</param>
/// <param name="IsBuried">Of a set entry; its content never changes.</param>
public readonly record struct RowStamp(TileCursor At, Ballot Accepted, bool IsBuried)
{
    public static RowStamp Register(string key, Ballot accepted) =>
        new(new TileCursor(Entries: false, key, default), accepted, false);

    public static RowStamp Entry(string set, MessageId id, bool isBuried) =>
        new(new TileCursor(Entries: true, set, id), default, isBuried);

    /// <summary>Which of the buckets the row is counted in: by its name alone, whatever its state.</summary>
    internal int Bucket => (int)(NameHash >> 56);

    /// <summary>128 bits of name and state, the same at every node.</summary>
    internal UInt128 Hash
    {
        get
        {
            var name = NameHash;
            var state = Prng.Mix(name ^ Accepted.Epoch) ^ (IsBuried ? 1UL : 0);
            state = Prng.Mix(state ^ Accepted.Round);
            state = Prng.Mix(state ^ (ulong)Accepted.Proposer.High);
            state = Prng.Mix(state ^ Accepted.Incarnation);
            return new UInt128(Prng.Mix(state + name), Prng.Mix(state ^ 0x9E3779B97F4A7C15));
        }
    }

    private ulong NameHash
    {
        get
        {
            var hash = At.Entries ? 1UL : 0;
            foreach (var letter in At.Name ?? "")
                hash = unchecked((hash ^ letter) * 0x100000001B3);
            return Prng.Mix(Prng.Mix(Prng.Mix(hash) ^ (ulong)(At.Id.Value >> 64)) ^ (ulong)At.Id.Value);
        }
    }
}
