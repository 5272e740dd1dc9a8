using System.Collections.Immutable;
using System.Text;
using ChordChat.Crypto.Formats;

namespace ChordChat.Crypto.Messages;

/// <summary>What a message says. docs/e2e.md, Message contents.</summary>
public abstract record MessageContent
{
    /// <summary>Longer contents are refused: they go as a file.</summary>
    public const int BytesMax = 64_000;

    private const byte TextType = 1;
    private const byte ReceiptType = 3;

    private static readonly UTF8Encoding StrictUtf8 =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private MessageContent() { }

    internal abstract byte Type { get; }

    /// <summary>Text: at least one character, at most 64 000 bytes of UTF-8.</summary>
    public sealed record Text(string Value) : MessageContent
    {
        internal override byte Type => TextType;
    }

    /// <summary>What became of messages: 1 to 255 of them at once.</summary>
    public sealed record Receipt(ReceiptKind Kind, ImmutableArray<EnvelopeId> Messages) : MessageContent
    {
        public const int MessagesMax = 255;

        internal override byte Type => ReceiptType;

        public bool Equals(Receipt? other) =>
            other is not null && Kind == other.Kind && Messages.AsSpan().SequenceEqual(other.Messages.AsSpan());

        public override int GetHashCode() => HashCode.Combine(Kind, Messages.Length);
    }

    /// <summary>A genuine message of a kind that this version does not show: 2 file, 4 edit to 8 timer.</summary>
    /// <remarks>It counts in the order of messages, so nothing seems missing; it cannot be sent.</remarks>
    public sealed record Unsupported : MessageContent
    {
        internal Unsupported(byte type) => Type = type;

        internal override byte Type { get; }
    }

    /// <exception cref="ArgumentException">Empty, too long, ill-formed or unsupported.</exception>
    internal byte[] Write()
    {
        var bytes = this switch
        {
            Text text => StrictUtf8.GetBytes(text.Value),
            Receipt receipt => Write(receipt),
            _ => throw new ArgumentException("this kind of content cannot be sent"),
        };
        return TryRead(Type, bytes) is not null ? bytes : throw new ArgumentException("empty or too long");
    }

    internal static MessageContent? TryRead(byte type, ReadOnlySpan<byte> bytes) => type switch
    {
        _ when bytes.Length > BytesMax => null,
        TextType => TryReadText(bytes),
        ReceiptType => TryReadReceipt(bytes),
        2 or (>= 4 and <= 8) => new Unsupported(type),
        _ => null,
    };

    private static Text? TryReadText(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return bytes.IsEmpty ? null : new(StrictUtf8.GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static byte[] Write(Receipt receipt)
    {
        var writer = new Writer().U8((byte)receipt.Kind).U8(checked((byte)receipt.Messages.Length));
        foreach (var id in receipt.Messages)
            writer.U128(id.Value);
        return writer.Finish();
    }

    private static Receipt? TryReadReceipt(ReadOnlySpan<byte> bytes)
    {
        var reader = new Reader(bytes);
        var kind = (ReceiptKind)reader.U8();
        reader.Require(kind is ReceiptKind.Delivered or ReceiptKind.Read or ReceiptKind.Fork);
        var ids = new EnvelopeId[reader.U8()];
        reader.Require(ids.Length > 0);
        for (var i = 0; i < ids.Length; i++)
            ids[i] = new(reader.U128());
        return reader.AtEnd ? new(kind, [.. ids]) : null;
    }
}
