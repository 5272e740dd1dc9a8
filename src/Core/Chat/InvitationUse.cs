namespace ChordChat.Core.Chat;

/// <summary>What the register invite/&lt;id&gt; holds once an invitation is used: docs/protocol.md#invitations.
/// </summary>
/// <param name="Code">The whole code, so that whoever keeps this can judge it: <see cref="CodeBytes"/> bytes.</param>
/// <param name="User">The one name that it lets register, for ever.</param>
public sealed record InvitationUse(ReadOnlyMemory<byte> Code, string User)
{
    public const int CodeBytes = 20;

    private const byte FormatVersion = 1;

    private static ReadOnlySpan<byte> Magic => "CCIU"u8;

    /// <summary>Takes an invitation that nobody has used; null leaves what is there.</summary>
    public static ReadOnlyMemory<byte>? Take(ReadOnlyMemory<byte> current, InvitationUse wanted) =>
        current.IsEmpty ? wanted.ToBytes() : (ReadOnlyMemory<byte>?)null;

    public ReadOnlyMemory<byte> ToBytes() =>
        new FieldWriter(64).Raw(Magic).U8(FormatVersion).Raw(Code.Span).Text(User).ToMemory();

    /// <exception cref="InvalidDataException">Not a use of a version that this program knows.</exception>
    public static InvitationUse FromBytes(ReadOnlyMemory<byte> bytes)
    {
        var reader = new FieldReader(bytes);
        reader.Head(Magic, FormatVersion);
        var use = new InvitationUse(reader.Raw(CodeBytes), reader.Text());
        reader.End();
        return use;
    }
}
