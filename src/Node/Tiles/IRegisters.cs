using ChordChat.Core.Ring;
using ChordChat.Core.Tiles;
using ChordChat.Core.Tiles.Registers;

namespace ChordChat.Node.Tiles;

/// <summary>Small values that never fork, kept at a key's owner and its successors.</summary>
/// <remarks>Implemented by the cluster itself and, in tests of the chat, by memory.</remarks>
internal interface IRegisters
{
    /// <summary>Reads the register, lets <paramref name="decide"/> say what it becomes, and writes that, as one
    /// linearizable step.</summary>
    /// <param name="decide">Gets the current value (empty when nothing was ever written) and returns the new one, or
    /// null to leave it. May be called several times; must have no effect of its own.</param>
    Task<ChangeOutcome> ChangeAsync(
        RegisterKey key, Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide, CancellationToken cancellation);

    /// <summary>The value as of now, agreed by a majority.</summary>
    Task<ReadOutcome> ReadAsync(RegisterKey key, CancellationToken cancellation);
}

/// <summary>Registers as far as they can be seen now. Apart from <see cref="IRegisters"/>, so that whatever creates,
/// changes or decides anything has no way to a value that no majority agrees on.</summary>
internal interface IRegisterGlimpses
{
    /// <summary>The value that a majority agrees on or, without one, the newest of the copies that answer.</summary>
    Task<Glimpse> GlimpseAsync(RegisterKey key, CancellationToken cancellation);

    /// <summary>The same within a time: then it is what the copies that have answered show. Never throws for it.
    /// </summary>
    Task<Glimpse> GlimpseWithinAsync(RegisterKey key, CancellationToken patience);

    /// <summary>The newest value that a majority of the copies shows, by one question to each and without a write: for
    /// nodes that may change nothing there.</summary>
    /// <returns>Null when no majority answers.</returns>
    Task<UnprovenValue?> PeekAsync(RegisterKey key, CancellationToken cancellation);
}

/// <summary>A register: its name, which says on which point of the circle it lies.</summary>
internal readonly record struct RegisterKey(string Name)
{
    /// <summary>The tile that holds this point keeps it.</summary>
    public RingId Point => RowName.PointOf(Name);

    public static RegisterKey Account(string user) => new($"acct/{user}");
    public static RegisterKey Session(string user) => new($"sess/{user}");
    public static RegisterKey Invitation(string id) => new($"invite/{id}");
    public static RegisterKey Circle(string user) => new($"circle/{user}");
    public static RegisterKey KeyLog(string user, ulong number) => new($"keylog/{user}/{number}");
}

/// <summary>What became of a change.</summary>
internal abstract record ChangeOutcome
{
    private ChangeOutcome() { }

    /// <summary>The new value is on disk at a majority.</summary>
    public sealed record Stored(ReadOnlyMemory<byte> Value) : ChangeOutcome;

    /// <summary>The decider returned null; <paramref name="Current"/> is what it saw, agreed by a majority.</summary>
    public sealed record Declined(ReadOnlyMemory<byte> Current) : ChangeOutcome;

    /// <summary>No majority answered; nothing was changed. Retrying is safe.</summary>
    public sealed record Unavailable(int Reached, int Needed) : ChangeOutcome;

    /// <summary>It may have taken effect or may still; retry with the same operation id.</summary>
    public sealed record Unknown : ChangeOutcome;
}

/// <summary>What a read found.</summary>
internal abstract record ReadOutcome
{
    private ReadOutcome() { }

    /// <summary>The agreed value; empty when nothing was ever written.</summary>
    public sealed record Agreed(ReadOnlyMemory<byte> Value) : ReadOutcome;

    /// <summary>No majority answered.</summary>
    public sealed record Unavailable(int Reached, int Needed) : ReadOutcome;
}

/// <summary>What can be seen of a register.</summary>
internal abstract record Glimpse
{
    private Glimpse() { }

    /// <summary>A majority agrees on it; empty when nothing was ever written.</summary>
    public sealed record Agreed(ReadOnlyMemory<byte> Value) : Glimpse;

    /// <summary>No majority answered; <paramref name="Newest"/> is the newest value among the
    /// <paramref name="Reached"/> copies that did; null when none of them has one.</summary>
    public sealed record Unproven(UnprovenValue? Newest, int Reached, int Needed) : Glimpse;
}
