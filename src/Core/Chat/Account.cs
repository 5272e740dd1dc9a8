namespace ChordChat.Core.Chat;

/// <summary>The newest entry of a user's key log, as signed by its owner.</summary>
/// <param name="Number">Its number in the log, from 0.</param>
/// <param name="Epoch">The device epoch that it opens.</param>
public sealed record KeyLogHead(ulong Number, uint Epoch, ReadOnlyMemory<byte> Entry);

/// <summary>What the register acct/&lt;user&gt; holds: who may log in, and with which keys.</summary>
/// <param name="CreatedBy">The operation that created it: whoever repeats that operation created it too.</param>
/// <param name="Credential">bcrypt of the secret that the client derives from the password.</param>
/// <param name="Version">Grows by one with each change.</param>
/// <param name="Keyring">Sealed by the client. Named by the hash in <paramref name="Head"/>.</param>
/// <param name="PreviousKeyring">The one before, for a client that was interrupted; empty at first.</param>
/// <param name="Pace">How much its key log has grown lately.</param>
public sealed record Account(
    string User,
    UInt128 CreatedBy,
    string Credential,
    ulong Version,
    KeyLogHead Head,
    ReadOnlyMemory<byte> Keyring,
    ReadOnlyMemory<byte> PreviousKeyring,
    long CreatedAtMs,
    KeyLogPace Pace = default)
{
    /// <summary>Without the pace of the key log.</summary>
    private const byte FirstFormatVersion = 1;

    private const byte FormatVersion = 2;

    /// <summary>In `condition ? bytes : null` the null would become empty bytes, by way of byte[].</summary>
    private static ReadOnlyMemory<byte>? Nothing => null;

    private static ReadOnlySpan<byte> Magic => "CCAC"u8;

    /// <summary>Creates the account if nobody has it; null leaves what is there.</summary>
    public static ReadOnlyMemory<byte>? Register(ReadOnlyMemory<byte> current, Account wanted) =>
        current.IsEmpty ? wanted.ToBytes() : Nothing;

    /// <summary>Whether the account that stands now was created by this very operation, by an earlier try.</summary>
    public static bool IsCreatedBy(ReadOnlyMemory<byte> current, UInt128 operation) =>
        !current.IsEmpty && FromBytes(current).CreatedBy == operation;

    /// <summary>Puts <paramref name="next"/> on top of the key log if it follows the entry that is there now.</summary>
    /// <param name="nowMs">Unix time: a log may grow only so fast.</param>
    /// <param name="follows">The key log's own rules: (current entry, next entry) -> may it follow?</param>
    public static ReadOnlyMemory<byte>? PublishKeys(
        ReadOnlyMemory<byte> current,
        KeyLogHead next,
        ReadOnlyMemory<byte> keyring,
        long nowMs,
        Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>, bool> follows)
    {
        if (current.IsEmpty)
            return null;
        var account = FromBytes(current);
        return next.Number == account.Head.Number + 1 && next.Number < KeyLogPace.EntriesMax
            && account.Pace.Wait(nowMs) == TimeSpan.Zero && follows(account.Head.Entry, next.Entry)
            ? (account with
            {
                Version = account.Version + 1,
                Head = next,
                Keyring = keyring,
                PreviousKeyring = account.Keyring,
                Pace = account.Pace.Counting(nowMs),
            }).ToBytes()
            : Nothing;
    }

    /// <summary>Whether this entry is the newest of the account that stands now.</summary>
    public static bool HasHead(ReadOnlyMemory<byte> current, KeyLogHead entry) =>
        !current.IsEmpty && FromBytes(current).Head.Entry.Span.SequenceEqual(entry.Entry.Span);

    public ReadOnlyMemory<byte> ToBytes() =>
        new FieldWriter(256 + Head.Entry.Length + Keyring.Length + PreviousKeyring.Length)
            .Raw(Magic).U8(FormatVersion)
            .Text(User).U128(CreatedBy).Text(Credential).U64(Version)
            .U64(Head.Number).U32(Head.Epoch).Blob(Head.Entry.Span)
            .Blob(Keyring.Span).Blob(PreviousKeyring.Span)
            .U64((ulong)CreatedAtMs)
            .U32(Pace.Recent).U64((ulong)Pace.AtMs)
            .ToMemory();

    /// <exception cref="InvalidDataException">Not an account of a version that this program knows.</exception>
    public static Account FromBytes(ReadOnlyMemory<byte> bytes)
    {
        var reader = new FieldReader(bytes);
        var version = reader.Head(Magic, FirstFormatVersion, FormatVersion);
        var account = new Account(
            reader.Text(),
            reader.U128(),
            reader.Text(),
            reader.U64(),
            new KeyLogHead(reader.U64(), reader.U32(), reader.Blob()),
            reader.Blob(),
            reader.Blob(),
            (long)reader.U64(),
            version == FirstFormatVersion ? default : new KeyLogPace(reader.U32(), (long)reader.U64()));
        reader.End();
        return account;
    }
}
