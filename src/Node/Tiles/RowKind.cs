using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using ChordChat.Core.Chat;

namespace ChordChat.Node.Tiles;

/// <summary>The kinds of rows that there are: how their names look, and who may write there. A name of no kind is the
/// name of nothing.</summary>
/// <remarks>docs/protocol.md#names-of-rows. Whoever makes a new kind names it here: until then every replica refuses
/// it.</remarks>
/// <param name="Name">What stands before the first slash.</param>
internal sealed record RowKind(string Name, RowKind.NameTest IsKey, RowWriter Writer)
{
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private static readonly ImmutableArray<RowKind> Registers =
    [
        new("acct", UserName.IsValid, RowWriter.AnyNode),
        new("keylog", UserName.IsValid, RowWriter.AnyNode) { IsPart = IsEntryNumber },
        new("sess", UserName.IsValid, RowWriter.NodeOfUser),
        new("circle", UserName.IsValid, RowWriter.NodeOfUser),
        new("invite", key => IsHex(key, 16), RowWriter.AnyNode),
        new("ready", key => IsHex(key, 64), RowWriter.NodeItself),
    ];

    private static readonly ImmutableArray<RowKind> Sets =
    [
        new("mbox", UserName.IsValid, RowWriter.NodeOfUser),
    ];

    internal delegate bool NameTest(ReadOnlySpan<char> text);

    /// <summary>What stands behind the key and another slash; null when nothing does.</summary>
    public NameTest? IsPart { get; private init; }

    /// <summary>Null when there is no such register.</summary>
    public static RowKind? OfRegister(string name) => Of(Registers, name);

    /// <summary>Null when there is no such set.</summary>
    public static RowKind? OfSet(string name) => Of(Sets, name);

    /// <summary>What a row of this kind is named after: a user, a node, a code.</summary>
    public string KeyIn(string name)
    {
        var start = Name.Length + 1;
        return IsPart is null ? name[start..] : name[start..name.IndexOf('/', start)];
    }

    private static RowKind? Of(ImmutableArray<RowKind> kinds, string name)
    {
        foreach (var kind in kinds)
            if (kind.Has(name))
                return kind;
        return null;
    }

    private bool Has(string name)
    {
        if (name.Length <= Name.Length || name[Name.Length] != '/' || !name.StartsWith(Name, StringComparison.Ordinal))
            return false;
        var rest = name.AsSpan(Name.Length + 1);
        if (IsPart is null)
            return IsKey(rest);
        var slash = rest.IndexOf('/');
        return slash >= 0 && IsKey(rest[..slash]) && IsPart(rest[(slash + 1)..]);
    }

    private static bool IsHex(ReadOnlySpan<char> text, int length) =>
        text.Length == length && !text.ContainsAnyExcept(HexDigits);

    private static bool IsEntryNumber(ReadOnlySpan<char> text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number < KeyLogPace.EntriesMax && (text.Length == 1 || text[0] != '0');
}

/// <summary>Who may write a row that it does not keep itself.</summary>
internal enum RowWriter
{
    /// <summary>Any node: the value shows whether it is genuine.</summary>
    AnyNode = 0,

    /// <summary>A node that has shown a session of a user: docs/protocol.md#session-proofs.</summary>
    NodeOfUser = 1,

    /// <summary>The node of this name, and no other that keeps it, either.</summary>
    NodeItself = 2,
}
