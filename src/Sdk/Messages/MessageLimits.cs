using System.Text;
using ChordChat.Crypto.Messages;

namespace ChordChat.Sdk.Messages;

/// <summary>What may be sent at all; asked before anything is stored or sealed.</summary>
public static class MessageLimits
{
    /// <summary>UTF-8 bytes of one text. With names, order data and signature it just fits a sealed 64 KiB.</summary>
    public const int TextBytesMax = MessageContent.BytesMax;

    /// <exception cref="ChordChatException">The text is empty, too long or not well-formed.</exception>
    public static byte[] Encode(string text)
    {
        if (text.Length == 0)
            throw new ChordChatException("empty_message", "there is nothing to send", "write a text");
        byte[] bytes;
        try
        {
            bytes = new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(text);
        }
        catch (EncoderFallbackException cause)
        {
            throw new ChordChatException(
                "bad_text", "the text holds half a character (a lone surrogate)", "write it again", cause);
        }

        return bytes.Length <= TextBytesMax
            ? bytes
            : throw new ChordChatException(
                "too_large",
                $"the message has {bytes.Length:N0} bytes; at most {TextBytesMax:N0} fit into one",
                "shorten it or send it in parts");
    }
}
