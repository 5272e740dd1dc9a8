namespace ChordChat.Core.Chat;

/// <summary>What the register circle/&lt;user&gt; holds: whose mail this user refuses, and to whom they have
/// written.</summary>
/// <param name="Blocked">Names, the oldest first, each once; at most <see cref="BlockedMax"/>.</param>
/// <param name="WrittenTo">Names, the oldest first, each once; at most <see cref="WrittenToMax"/>, beyond which the
/// oldest go.</param>
public sealed record Circle(IReadOnlyList<string> Blocked, IReadOnlyList<string> WrittenTo)
{
    public const int BlockedMax = 1_000;
    public const int WrittenToMax = 2_000;

    private const byte FormatVersion = 1;

    public static Circle Empty { get; } = new([], []);

    private static ReadOnlySpan<byte> Magic => "CCCI"u8;

    public bool Blocks(string user) => Blocked.Contains(user);

    public bool HasWrittenTo(string user) => WrittenTo.Contains(user);

    /// <summary>The circle after a change; names that nobody can have count for nothing.</summary>
    /// <returns>Null when there would be more blocked names than a circle holds.</returns>
    public Circle? After(
        IReadOnlyCollection<string> block, IReadOnlyCollection<string> unblock, IReadOnlyCollection<string> wroteTo)
    {
        var blocked = Blocked.Concat(block.Where(UserName.IsValid)).Distinct().Except(unblock).ToList();
        var written = WrittenTo.Concat(wroteTo.Where(UserName.IsValid)).Distinct().ToList();
        return blocked.Count > BlockedMax
            ? null
            : new Circle(blocked, written[Math.Max(0, written.Count - WrittenToMax)..]);
    }

    public bool IsSameAs(Circle other) =>
        Blocked.SequenceEqual(other.Blocked) && WrittenTo.SequenceEqual(other.WrittenTo);

    public ReadOnlyMemory<byte> ToBytes()
    {
        var writer = new FieldWriter(16 + 12 * (Blocked.Count + WrittenTo.Count)).Raw(Magic).U8(FormatVersion);
        foreach (var names in new[] { Blocked, WrittenTo })
        {
            writer.U32((uint)names.Count);
            foreach (var name in names)
                writer.Text(name);
        }

        return writer.ToMemory();
    }

    /// <summary>The circle of a register; empty when nothing was ever written.</summary>
    /// <exception cref="InvalidDataException">These bytes are not a circle within its bounds.</exception>
    public static Circle FromBytes(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
            return Empty;
        var reader = new FieldReader(bytes);
        reader.Head(Magic, FormatVersion);
        var circle = new Circle(Names(ref reader, BlockedMax), Names(ref reader, WrittenToMax));
        reader.End();
        return circle;
    }

    /// <summary>As <see cref="FromBytes"/>; null for bytes that are no circle.</summary>
    public static Circle? TryRead(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return FromBytes(bytes);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static List<string> Names(ref FieldReader reader, int countMax)
    {
        var count = reader.U32();
        if (count > countMax)
            throw new InvalidDataException($"the record has {count} names; at most {countMax} are allowed");
        var names = new List<string>((int)count);
        for (var i = 0; i < count; i++)
            names.Add(reader.Text());
        return names.TrueForAll(UserName.IsValid) && names.Distinct().Count() == names.Count
            ? names
            : throw new InvalidDataException("the record has a name that nobody can have, or one twice");
    }
}
