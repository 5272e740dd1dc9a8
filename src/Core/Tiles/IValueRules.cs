namespace ChordChat.Core.Tiles;

/// <summary>Which rows there are, which values registers may have, and which may come after which.</summary>
/// <remarks>docs/protocol.md#names-of-rows, #value-rules. Asked on the replica's one thread with each value that is to
/// be kept, and by coordinators, on any thread: cheap where a value is of the common kind, and without a state of its
/// own.</remarks>
public interface IValueRules
{
    /// <summary>Whether there is a register of this name at all, written or not.</summary>
    bool HasRegister(string key);

    /// <summary>The same for sets.</summary>
    bool HasSet(string name);

    /// <summary>The register of the same tile that must be seen to judge this one; null when none.</summary>
    string? BesideOf(string key);

    /// <summary>Judges a value that is not the same as the one before.</summary>
    /// <param name="own">What stands there now; empty: nothing was ever written.</param>
    /// <param name="beside">What stands in <see cref="BesideOf"/>, empty when nothing does; null: not known here, so
    /// it decides nothing.</param>
    ValueVerdict Judge(
        string key, ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? beside);

    /// <summary>Whether a value that is not malformed may stand where that stands in <see cref="BesideOf"/>, whatever
    /// stood there before it.</summary>
    bool FitsBeside(string key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> beside);
}

/// <summary>What a value is.</summary>
public enum ValueVerdict
{
    /// <summary>It may come next.</summary>
    Fits = 0,

    /// <summary>Somebody may have written it, but not after the value that is here.</summary>
    DoesNotFollow = 1,

    /// <summary>Nobody honest can have written it into this register.</summary>
    Malformed = 2,
}

/// <summary>No rule: rows have any name, and every register may hold anything.</summary>
public sealed class AnyValue : IValueRules
{
    public static readonly AnyValue Rules = new();

    public bool HasRegister(string key) => true;

    public bool HasSet(string name) => true;

    public string? BesideOf(string key) => null;

    public ValueVerdict Judge(
        string key, ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? beside) =>
        ValueVerdict.Fits;

    public bool FitsBeside(string key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> beside) => true;
}
