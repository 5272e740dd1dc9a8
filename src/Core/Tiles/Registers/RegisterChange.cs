namespace ChordChat.Core.Tiles.Registers;

/// <summary>Reads a register, lets a function decide what it becomes and writes that, as one linearizable
/// step.</summary>
/// <param name="decide">Gets the current value (empty: never written) and returns the new one, or null or empty to
/// leave it. Called again when rivals interfere, perhaps with a value that contains this very change made in an earlier
/// round: it must recognise that by an operation id inside the value.</param>
/// <remarks>Two round trips and two commits at each member.</remarks>
public sealed class RegisterChange(
    TileConfiguration configuration,
    string key,
    Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>?> decide,
    BallotSource ballots,
    CoordinatorOptions options,
    ulong seed,
    IValueRules? values = null)
    : RegisterCoordinator<RegisterChangeOutcome>(configuration, key, ballots, options, seed, values)
{
    private protected override void Begin() => Prepare();

    private protected override ReadOnlyMemory<byte>? Decide(ReadOnlyMemory<byte> current) => decide(current);

    private protected override void OnStored(ReadOnlyMemory<byte> value) =>
        State(new RegisterChangeOutcome.Stored(value));

    private protected override void OnKept(ReadOnlyMemory<byte> value) =>
        State(new RegisterChangeOutcome.Refused(value));

    private protected override void GiveUp() => State(MayHaveChanged
        ? new RegisterChangeOutcome.Unknown()
        : new RegisterChangeOutcome.Unavailable(Reached, Majority));
}

/// <summary>What became of a change.</summary>
public abstract record RegisterChangeOutcome
{
    private RegisterChangeOutcome() { }

    /// <summary>The new value is on disk at a majority.</summary>
    public sealed record Stored(ReadOnlyMemory<byte> Value) : RegisterChangeOutcome;

    /// <summary>The function left the value as it is; a majority agrees on it.</summary>
    public sealed record Refused(ReadOnlyMemory<byte> Current) : RegisterChangeOutcome;

    /// <summary>No majority answered; nothing was changed.</summary>
    public sealed record Unavailable(int Reached, int Needed) : RegisterChangeOutcome;

    /// <summary>It may have taken effect or may still; retry with the same operation id.</summary>
    public sealed record Unknown : RegisterChangeOutcome;
}
