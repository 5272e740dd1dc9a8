using System.Threading.Channels;

namespace ChordChat.Client.Terminal;

/// <summary>Reads keys on a thread of its own, because the console offers no asynchronous way.</summary>
internal static class KeyReader
{
    public static void Start(ChannelWriter<KeyStroke> strokes)
    {
        var thread = new Thread(() => Read(strokes)) { IsBackground = true, Name = "keys" };
        thread.Start();
    }

    private static void Read(ChannelWriter<KeyStroke> strokes)
    {
        var high = '\0';
        try
        {
            while (true)
            {
                var key = Console.ReadKey(intercept: true);
                if (char.IsHighSurrogate(key.KeyChar))
                {
                    high = key.KeyChar;
                    continue;
                }

                var stroke = char.IsLowSurrogate(key.KeyChar)
                    ? new KeyStroke(EditKey.Text, new string([high, key.KeyChar]))
                    : KeyStroke.From(key);
                if (!strokes.TryWrite(stroke))
                    return;
            }
        }
        catch (InvalidOperationException)
        {
            // The terminal is gone: the same as closing it.
            strokes.TryWrite(new KeyStroke(EditKey.EndOfInput));
        }
    }
}
