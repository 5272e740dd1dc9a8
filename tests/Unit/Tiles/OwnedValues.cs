using System.Text;
using ChordChat.Core.Tiles;

namespace ChordChat.Tests.Unit.Tiles;

/// <summary>Rules as short as can be: a value is its owner's letter and a number, an owner stays, numbers
/// grow; of/NAME has the owner of NAME, and no larger number.</summary>
internal sealed class OwnedValues : IValueRules
{
    public bool HasRegister(string key) => true;

    public bool HasSet(string name) => true;

    public string? BesideOf(string key) => key.StartsWith("of/", StringComparison.Ordinal) ? key[3..] : null;

    public ValueVerdict Judge(
        string key, ReadOnlyMemory<byte> own, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte>? beside)
    {
        var (before, now) = (Read(own), Read(value));
        if (now is null)
            return ValueVerdict.Malformed;
        if (beside is { } there && !FitsBeside(key, value, there))
            return ValueVerdict.DoesNotFollow;
        return before is null || (before.Value.Owner == now.Value.Owner && before.Value.Number < now.Value.Number)
            ? ValueVerdict.Fits
            : ValueVerdict.DoesNotFollow;
    }

    public bool FitsBeside(string key, ReadOnlyMemory<byte> value, ReadOnlyMemory<byte> beside) =>
        (Read(value), Read(beside)) is ({ } one, { } other) && one.Owner == other.Owner && one.Number <= other.Number;

    private static (char Owner, char Number)? Read(ReadOnlyMemory<byte> value) =>
        Encoding.ASCII.GetString(value.Span) is [>= 'a' and <= 'z' and var owner, >= '0' and <= '9' and var number]
            ? (owner, number)
            : null;
}
