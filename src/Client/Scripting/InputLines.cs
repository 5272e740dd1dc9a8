using System.Text;
using ChordChat.Sdk;

namespace ChordChat.Client.Scripting;

/// <summary>Lines of UTF-8 from files and standard input; what is not UTF-8 is refused, never replaced.</summary>
internal static class InputLines
{
    /// <summary>Much more than fits into a message: an input without line ends must not fill the memory.</summary>
    private const int LineBytesMax = 1 << 20;

    private const char ByteOrderMark = '\uFEFF';

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The lines of standard input that are not empty, as they come, without a byte order mark.</summary>
    /// <exception cref="ChordChatException"><c>bad_text</c>: a line is not UTF-8, or longer than a MiB; those before it
    /// were given.</exception>
    public static IEnumerable<string> Read() => Read(Console.OpenStandardInput());

    /// <inheritdoc cref="Read()"/>
    public static IEnumerable<string> Read(Stream input)
    {
        var number = 0;
        foreach (var line in Split(input))
        {
            number++;
            var text = number == 1 ? Decode(line)?.TrimStart(ByteOrderMark) : Decode(line);
            if (text is not "")
                yield return text ?? throw new ChordChatException(
                    "bad_text", $"line {number} of the input is not UTF-8",
                    "convert it first, for example with iconv -t UTF-8");
        }
    }

    /// <summary>The first line of a file, without a byte order mark; empty if the file is.</summary>
    /// <returns>Null when the line is not UTF-8.</returns>
    public static string? First(string path)
    {
        using var file = File.OpenRead(path);
        return Decode(Split(file).FirstOrDefault() ?? [])?.TrimStart(ByteOrderMark);
    }

    private static string? Decode(byte[] line)
    {
        try
        {
            return Strict.GetString(line);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Lines end with LF or CR LF; the last may end with the input.</summary>
    private static IEnumerable<byte[]> Split(Stream input)
    {
        var buffer = new byte[16 * 1024];
        var line = new List<byte>();
        int count;
        while ((count = input.Read(buffer)) > 0)
        {
            var start = 0;
            for (int end; (end = buffer.AsSpan(start, count - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
            {
                line.AddRange(buffer.AsSpan(start, end));
                yield return Finish(line);
            }

            line.AddRange(buffer.AsSpan(start, count - start));
            if (line.Count > LineBytesMax)
                throw new ChordChatException(
                    "bad_text", "the input has a line of more than 1 MiB", "break it into lines, one for each message");
        }

        if (line.Count > 0)
            yield return Finish(line);
    }

    private static byte[] Finish(List<byte> line)
    {
        var bytes = line is [.., (byte)'\r'] ? line[..^1].ToArray() : line.ToArray();
        line.Clear();
        return bytes;
    }
}
